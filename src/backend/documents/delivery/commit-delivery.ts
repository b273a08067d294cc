import { z } from 'zod';
import { uploadVersion } from '../../../contract/extraction-version.js';
import type { FilesystemClient } from '../../../downstream/filesystem/filesystem.client.js';
import type { GitClient } from '../../../downstream/git/git.client.js';
import type { Outbox } from '../../../outbox/outbox.service.js';
import type { OutboxEntry } from '../../../outbox/outbox.store.js';
import type { CallContext } from '../../../resilience/policy/call-context.js';
import { DownstreamError } from '../../../resilience/policy/downstream-error.js';
import { type Move, type MovedDocument, moveSchema } from '../moving/move-payload.js';
import { movedDocuments } from './moved-documents.js';
import { documentAt, unlessGone, unlessMissing } from './stored-document.js';

/** What the commit of a move says beside the documents. */
export interface MoveCommit {
  author: { name: string; email: string };
  message: string;
  committed_at: string;
}

export const commitPayload = z.object({
  path: z.string(),
  version: z.string(),
  /** null: deleted; absent: fetched later, because it is too large to store twice or was extracted from a file. */
  text: z.string().nullable().optional(),
  author: z.object({ name: z.string(), email: z.string() }),
  message: z.string(),
  committed_at: z.string(),
  /** Whether the answer of the filesystem server was lost. */
  uncertain: z.boolean().optional(),
  /** The documents that this commit moves or copies; `path` is where to. */
  move: moveSchema.optional(),
});
export type CommitPayload = z.output<typeof commitPayload>;

type Named = Pick<CommitPayload, 'path' | 'version'>;
type Change = CommitPayload & { text: string | null };

/** Brings the history of one git server in step with the documents. */
export class CommitDelivery {
  constructor(
    private readonly filesystem: FilesystemClient,
    private readonly git: GitClient,
    private readonly outbox: Pick<Outbox, 'store'>,
    /** The other servers that have a copy of the history. */
    private readonly others: readonly GitClient[],
  ) {}

  async deliver(entry: OutboxEntry, call: CallContext): Promise<void> {
    const { projectId, payload, recovered } = entry;
    const { uncertain, text: kept, move, ...commit } = commitPayload.parse(payload);
    const project_id = String(projectId);
    if (move !== undefined) return this.commitMove(entry, move, commit, call).catch(unlessGone);
    let text = kept;
    if (uncertain === true || recovered || text === undefined) {
      const known = await this.textOf(project_id, commit, text, call);
      if (known === undefined) return;
      text = known.text;
    }
    await this.git.commit({ params: { project_id }, body: { ...commit, text } }, call).catch(unlessGone);
  }

  /**
   * The text of a change; undefined where it did not take place, or the document has changed since and no other server has
   * this version.
   */
  private async textOf(
    project_id: string,
    { path, version }: Named,
    kept: string | null | undefined,
    call: CallContext,
  ) {
    const document = await documentAt(this.filesystem, project_id, path, call);
    const isCurrent = kept === null ? document === undefined : document?.version === version;
    if (isCurrent) return { text: document?.text ?? null };
    for (const git of this.others) {
      const found = await git.textAt({ params: { project_id }, query: { path, version } }, call).catch(unlessUnknown);
      if (found !== undefined) return { text: found.text };
    }
    return kept !== null && isOf(document?.version, version) ? { text: document?.text ?? null } : undefined;
  }

  /** Commits in their order: in one call what carries its text, one by one what has to be fetched first. */
  async deliverTogether(entries: readonly OutboxEntry[], call: CallContext): Promise<number> {
    let changes: Change[] = [];
    const flush = async (project_id: string) => {
      if (changes.length > 0)
        await this.git.commits({ params: { project_id }, body: { changes } }, call).catch(unlessGone);
      changes = [];
    };
    const texts = await this.textsOf(entries, call);
    for (const entry of entries) {
      const { uncertain, text: kept, move, ...commit } = commitPayload.parse(entry.payload);
      const text = kept === undefined ? texts.get(entry) : kept;
      if (uncertain !== true && !entry.recovered && text !== undefined && move === undefined)
        changes.push({ ...commit, text });
      else {
        await flush(String(entry.projectId));
        await this.deliver(entry, { ...call, idempotencyKey: entry.id });
      }
    }
    await flush(String(entries[0]?.projectId));
    return entries.length;
  }

  private async commitMove(entry: OutboxEntry, move: Move, commit: MoveCommit, call: CallContext): Promise<void> {
    const project_id = String(entry.projectId);
    const documents = move.documents ?? (await movedDocuments(this.filesystem, project_id, move, call));
    if (documents.length === 0) return;
    await this.commitBefore(entry, new Set(documents.flatMap(({ from, to }) => [from, to])), call);
    const { version, copy } = move;
    const { author, message, committed_at } = commit;
    const send = (moved: readonly (MovedDocument & { text?: string })[]) => {
      const body = { version, copy, author, message, committed_at, documents: [...moved] };
      return this.git.move({ params: { project_id }, body }, call);
    };
    const missing = new Set((await send(documents)).missing);
    if (missing.size === 0) return;
    const known = documents.filter(({ from }) => !missing.has(from));
    if (known.length > 0) await send(known);
    for (const document of documents.filter(({ from }) => missing.has(from))) {
      const text = (await documentAt(this.filesystem, project_id, document.to, call))?.text;
      if (text !== undefined) await send([{ ...document, text }]);
    }
  }

  /**
   * Commits older changes of some paths before a move of them: a batch takes only the oldest change of each path. They are
   * committed once, however often they are sent. One that the history refuses does not stop the move.
   */
  private async commitBefore(entry: OutboxEntry, paths: ReadonlySet<string>, call: CallContext): Promise<void> {
    const pending = await this.outbox.store.pending(entry.topic, entry.userId, {
      ...{ projectId: String(entry.projectId), state: 'ready' },
    });
    const at = pending.findIndex(({ id }) => id === entry.id);
    for (const older of pending.slice(0, Math.max(0, at))) {
      const concerned = changesOf(commitPayload.parse(older.payload)).some(({ path }) => paths.has(path));
      if (!concerned) continue;
      await this.deliver(older, { ...call, idempotencyKey: older.id }).catch((error: unknown) => {
        if (!(error instanceof DownstreamError) || error.reason !== 'rejected') throw error;
      });
    }
  }

  /** The texts of those commits that have none with them, of as many as fit into one answer. */
  private async textsOf(entries: readonly OutboxEntry[], call: CallContext): Promise<Map<OutboxEntry, string>> {
    const lacking = entries.flatMap((entry) => {
      const { path, version, text, move } = commitPayload.parse(entry.payload);
      return text === undefined && move === undefined ? [{ entry, path, version }] : [];
    });
    if (lacking.length < 2) return new Map();
    const params = { project_id: String(entries[0]?.projectId) };
    const body = { paths: lacking.map(({ path }) => path) };
    const read = await this.filesystem.readDocuments({ params, body }, call).catch(unlessMissing);
    return new Map(
      (read?.documents ?? []).flatMap((document, i) => {
        const { entry, version } = lacking[i] as (typeof lacking)[number];
        return 'text' in document && isOf(document.version, version) ? [[entry, document.text] as const] : [];
      }),
    );
  }
}

/** The changes of single documents that a commit makes. */
export function changesOf(commit: CommitPayload): CommitPayload[] {
  const { move } = commit;
  if (move === undefined) return [commit];
  const documents = move.documents ?? move.planned ?? [{ from: move.from, to: move.to }];
  return documents.flatMap(({ from, to }) => [
    { ...commit, path: to },
    ...(move.copy ? [] : [{ ...commit, path: from, text: null }]),
  ]);
}

/** The server does not have it, or does not work: then the servers are compared when it does. */
function unlessUnknown(error: unknown): undefined {
  if (!(error instanceof DownstreamError)) throw error;
}

/** Whether a document is this version, or has a text that was taken from the same upload later. */
const isOf = (current: string | undefined, version: string) =>
  current === version || (current !== undefined && uploadVersion(current) === version);

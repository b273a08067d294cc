import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, type OnModuleInit } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import { InjectConfig } from '../../config/config.module.js';
import type { Config } from '../../config/config.schema.js';
import { ChromaClient } from '../../downstream/chroma/chroma.client.js';
import { FilesystemClient } from '../../downstream/filesystem/filesystem.client.js';
import { MAX_BATCH_DOCUMENTS } from '../../downstream/filesystem/filesystem.contract.js';
import { GitClient } from '../../downstream/git/git.client.js';
import { MAX_COMMITS } from '../../downstream/git/git.contract.js';
import { uploadVersion } from '../../contract/extraction-version.js';
import { Deletions } from '../call/deletions.js';
import { Outbox } from '../../outbox/outbox.service.js';
import type { NewOutboxEntry, OutboxEntry, PendingFilter } from '../../outbox/outbox.store.js';
import { type IndexUpdate, type MoveCommit, MoveDelivery, unlessMissing } from './moving/move-delivery.service.js';
import {
  concerns,
  isOfSeveral,
  type Move,
  type MovedDocument,
  movedFromSchema,
  moveSchema,
} from './moving/move-payload.js';
import { ProjectEvents } from '../projects/project-events.js';
import type { CallContext } from '../../resilience/policy/call-context.js';
import { DownstreamError } from '../../resilience/policy/downstream-error.js';

const indexPayload = z.object({
  path: z.string(),
  /** Whether the change is a deletion. */
  deleted: z.boolean().default(false),
  /** For a document that was moved. */
  moved_from: movedFromSchema.optional(),
  /** For a move whose documents are not known yet. */
  move: moveSchema.optional(),
});
const commitPayload = z.object({
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

/** A text up to this size travels in the outbox with its commit; a larger one is fetched when it is committed. */
export const KEPT_TEXT_CHARS = 1_000_000;
const DELIVERY_POLL_MS = 10;
/** A call costs more than the short texts in it. Callers wait for the index, so it gathers what a few of them send. */
const INDEX_GATHER_MS = 20;
/** A call starts a git process, which costs more than the commits that it makes. */
const COMMIT_GATHER_MS = 250;

type Change = CommitPayload & { text: string | null };

interface DocumentKey {
  userId: string;
  projectId: string;
  path: string;
}

/** Synchronises index and history with the files: through the outbox, in order for each document. */
@Injectable()
export class DocumentSync implements OnModuleInit {
  /** Recently deleted projects. */
  private readonly deletedProjects = new LRUCache<string, true>({ max: 10_000 });

  constructor(
    @InjectConfig() private readonly config: Config,
    private readonly filesystem: FilesystemClient,
    private readonly chroma: ChromaClient,
    private readonly git: GitClient,
    private readonly outbox: Outbox,
    private readonly events: ProjectEvents,
    private readonly deletions: Deletions,
    private readonly moves: MoveDelivery,
  ) {}

  onModuleInit(): void {
    this.events.onDelete((userId, projectId) => this.forget(userId, projectId));
    this.deletions.onDelete(() => this.outbox.scrub());
    this.outbox.register({
      topic: 'index',
      service: 'chroma',
      deliver: (entry, call) => this.bringInStep(entry, call),
      batch: {
        maxEntries: MAX_BATCH_DOCUMENTS,
        maxChars: KEPT_TEXT_CHARS,
        // A caller that sends one document after the other does not wait.
        gatherMs: (entries) => (entries > 1 ? INDEX_GATHER_MS : 0),
        deliver: (entries, call) => this.bringTogetherInStep(entries, call),
      },
    });
    this.outbox.register({
      topic: 'commit',
      service: 'git',
      deliver: (entry, call) => this.commit(entry, call),
      batch: {
        maxEntries: MAX_COMMITS,
        maxChars: KEPT_TEXT_CHARS,
        gatherMs: () => COMMIT_GATHER_MS,
        deliver: (entries, call) => this.commitTogether(entries, call),
      },
    });
  }

  /**
   * Must be written before the files change, so that no change can lack its index update and its commit. `commit` is
   * null where the history does not have the change, or has it already.
   */
  async hold({ path, ...project }: DocumentKey, commit: CommitPayload | null, deleted: boolean): Promise<HeldChange> {
    const [held] = await this.holdAll(project, [{ path, commit, deleted }]);
    return held as HeldChange;
  }

  /** {@link hold} for several documents. */
  async holdAll({ userId, projectId }: Omit<DocumentKey, 'path'>, changes: readonly Planned[]): Promise<HeldChange[]> {
    const entries = changes.flatMap(({ path, commit, deleted = false }): NewOutboxEntry[] => {
      const entry = { key: keyOf({ userId, projectId, path }), userId, projectId };
      const index = { ...entry, topic: 'index', payload: { path, deleted } };
      return commit === null ? [index] : [index, { ...entry, topic: 'commit', payload: commit }];
    });
    const held = (await this.outbox.hold(entries)).values();
    return changes.map(({ commit }) => ({
      index: held.next().value as OutboxEntry,
      commit: commit === null ? undefined : (held.next().value as OutboxEntry),
    }));
  }

  /** Queues an index update of some documents, which uses their files as they are at the time of delivery. */
  async index({ userId, projectId }: Omit<DocumentKey, 'path'>, paths: readonly string[]): Promise<void> {
    const entries = paths.map((path) => ({
      ...{ topic: 'index', key: keyOf({ userId, projectId, path }), userId, projectId },
      payload: { path, deleted: false },
    }));
    await this.outbox.send(entries);
  }

  /** Queues changes that the history lacks. */
  async commitAll({ userId, projectId }: Omit<DocumentKey, 'path'>, commits: readonly CommitPayload[]): Promise<void> {
    const entries = commits.map((payload) => ({
      ...{ topic: 'commit', key: keyOf({ userId, projectId, path: payload.path }), userId, projectId, payload },
    }));
    await this.outbox.send(entries);
  }

  /**
   * {@link release}, {@link releaseIndex} and {@link abandon} for several documents.
   * @returns for each whether the index was synchronised within its `waitMs`
   */
  async releaseAll(changes: readonly SettledChange[]): Promise<Promise<boolean>[]> {
    const dropped = changes.flatMap(({ held: { index, commit }, outcome }) => [
      ...(outcome === 'refused' ? [index] : []),
      ...(outcome === 'changed' || commit === undefined ? [] : [commit]),
    ]);
    if (dropped.length > 0) await this.outbox.discard(dropped);
    const indexed = changes.map(async ({ held, outcome, waitMs }) =>
      outcome === 'refused' ? false : (await this.outbox.delivery(held.index, waitMs)).delivered,
    );
    const kept = changes.flatMap(({ held: { index, commit }, outcome }) => [
      ...(outcome === 'refused' ? [] : [index]),
      ...(outcome === 'changed' && commit !== undefined ? [commit] : []),
    ]);
    await this.outbox.release(kept);
    return indexed;
  }

  /** {@link abandon} for several documents. */
  async abandonAll(held: readonly HeldChange[], nothingDone: boolean): Promise<void> {
    const entries = held.flatMap(({ index, commit }) => both(index, commit));
    if (nothingDone) return this.outbox.discard(entries);
    const uncertain = held.flatMap(({ commit }) =>
      commit === undefined
        ? []
        : [{ id: commit.id, payload: { ...(commit.payload as CommitPayload), uncertain: true } }],
    );
    await this.outbox.release(entries, [], uncertain);
  }

  /** Whether the index was synchronised within `waitMs`. */
  async release({ index, commit }: HeldChange, waitMs: number): Promise<boolean> {
    const delivery = this.outbox.delivery(index, waitMs);
    await this.outbox.release(both(index, commit));
    return (await delivery).delivered;
  }

  /** The files did not change: the history needs nothing, and the index only what it has lost. */
  async releaseIndex({ index, commit }: HeldChange, waitMs: number): Promise<boolean> {
    if (commit !== undefined) await this.outbox.discard([commit]);
    return this.release({ index, commit: undefined }, waitMs);
  }

  /** The files did not change, or it is not known whether they did. */
  async abandon({ index, commit }: HeldChange, nothingDone: boolean): Promise<void> {
    if (nothingDone) return this.outbox.discard(both(index, commit));
    if (commit !== undefined) {
      await this.outbox.update(commit, { ...(commit.payload as CommitPayload), uncertain: true });
    }
    await this.outbox.release(both(index, commit));
  }

  /** Like {@link hold}, before documents are moved or copied. */
  async holdMove(project: Omit<DocumentKey, 'path'>, move: Move, commit: MoveCommit): Promise<HeldMove> {
    const { to: path, version } = move;
    const otherKey = move.copy ? undefined : keyOf({ ...project, path: move.from });
    const entry = { ...project, key: keyOf({ ...project, path }), otherKey };
    const [index, history] = await this.outbox.hold([
      { ...entry, topic: 'index', payload: { path, deleted: false, move } },
      { ...entry, topic: 'commit', payload: { path, version, ...commit, move } },
    ]);
    return { index: index as OutboxEntry, commit: history as OutboxEntry };
  }

  /** Queues the updates of index and history, and waits a bounded time for them. */
  async releaseMove({ index, commit }: HeldMove, documents: readonly MovedDocument[]): Promise<void> {
    const { userId } = commit;
    const projectId = String(commit.projectId);
    const payload = commit.payload as CommitPayload & { move: Move };
    const updates = documents.map(({ from: path, to, from_version: version }) => ({
      ...{ topic: 'index', key: keyOf({ userId, projectId, path: to }), userId, projectId },
      payload: { path: to, deleted: false, ...(!payload.move.copy && { moved_from: { path, version } }) },
      otherKey: payload.move.copy ? undefined : keyOf({ userId, projectId, path }),
    }));
    const known = documents.map(({ from, to, from_version }) => ({ from, to, from_version }));
    const { planned: _, ...move } = payload.move;
    await this.outbox.release([commit], updates, [
      { id: commit.id, payload: { ...payload, move: { ...move, documents: known } } },
    ]);
    await this.outbox.discard([index]);
    const filter = isOfSeveral(payload.move) ? { projectId } : { keys: [commit.key] };
    await this.whileDelivering('commit', 'git', userId, filter, this.config.patience.commit_ms);
    await this.whileDelivering('index', 'chroma', userId, filter, this.config.documents.index_wait_ms);
  }

  /** The documents were not moved, or it is not known whether they were. */
  async abandonMove({ index, commit }: HeldMove, nothingDone: boolean): Promise<void> {
    if (nothingDone) return this.outbox.discard([index, commit]);
    await this.outbox.release([index, commit]);
  }

  /** Drops the queued updates of a deleted project. */
  async forget(userId: string, projectId: string): Promise<void> {
    this.deletedProjects.set(`${userId}/${projectId}`, true);
    const pending = ['index', 'commit'].map((topic) => this.outbox.store.pending(topic, userId, { projectId }));
    await this.outbox.discard((await Promise.all(pending)).flat());
  }

  /** Whether an earlier change of a document waits for its index update. */
  async isStale(key: DocumentKey): Promise<boolean> {
    return (await this.staleDocuments(key.userId, key.projectId, [key.path])).has(key.path);
  }

  /** Documents whose index is not yet synchronised, by path, and whether their deletion is queued. @param paths of these alone */
  async staleDocuments(
    userId: string,
    projectId: string,
    paths?: readonly string[],
  ): Promise<ReadonlyMap<string, { deleted: boolean }>> {
    const stale = new Map<string, { deleted: boolean }>();
    const filter = paths === undefined ? { projectId } : { keys: keysAbout(userId, projectId, paths) };
    for (const { payload } of await this.outbox.store.pending('index', userId, filter)) {
      const { path, deleted, moved_from: before, move } = indexPayload.parse(payload);
      const moved = move === undefined ? [path] : [path, ...(paths ?? []).filter((asked) => concerns(move, asked))];
      for (const one of moved) stale.set(one, { deleted: deleted || stale.get(one)?.deleted === true });
      if (before !== undefined) stale.set(before.path, { deleted: true });
    }
    return stale;
  }

  /** Changes that are not committed yet, oldest first. */
  async uncommitted(userId: string, projectId: string): Promise<CommitPayload[]> {
    const pending = await this.outbox.store.pending('commit', userId, { projectId });
    return pending.flatMap(({ payload }) => changesOf(commitPayload.parse(payload)));
  }

  /**
   * Waits up to `patience.commit_ms` for pending commits, so that the history shows a change directly after it was
   * saved.
   */
  async committed(userId: string, projectId: string, path: string | undefined): Promise<void> {
    const filter = path === undefined ? { projectId } : { keys: keysAbout(userId, projectId, [path]) };
    await this.whileDelivering('commit', 'git', userId, filter, this.config.patience.commit_ms);
  }

  private async whileDelivering(
    topic: string,
    service: 'git' | 'chroma',
    userId: string,
    filter: PendingFilter,
    waitMs: number,
  ): Promise<void> {
    const untilMs = performance.now() + waitMs;
    while (performance.now() < untilMs && !this.outbox.isPaused(service)) {
      if (!(await this.outbox.store.isDelivering(topic, userId, filter))) return;
      await sleep(DELIVERY_POLL_MS);
    }
  }

  private async bringInStep({ projectId, payload }: OutboxEntry, call: CallContext): Promise<void> {
    const { path, moved_from: before, move } = indexPayload.parse(payload);
    const project_id = String(projectId);
    if (move !== undefined) await this.moves.indexAll(project_id, move, call);
    else if (before === undefined) await this.moves.indexTogether(project_id, [{ path, from: undefined }], call);
    else await this.moves.index(project_id, path, before, call);
    // The project was deleted while a text was being fetched.
    if (this.deletedProjects.has(`${call.userId}/${project_id}`)) {
      await this.chroma.dropProject({ params: { project_id } }, call);
    }
  }

  /** @returns how many of the entries it has delivered: the server returns as many texts as fit into one answer */
  private async bringTogetherInStep(entries: readonly OutboxEntry[], call: CallContext): Promise<number> {
    const project_id = String(entries[0]?.projectId);
    let done = 0;
    while (done < entries.length) {
      const documents: IndexUpdate[] = [];
      for (const { payload } of entries.slice(done)) {
        const { path, moved_from: from, move } = indexPayload.parse(payload);
        if (move !== undefined) break;
        documents.push({ path, from });
      }
      if (documents.length === 0) {
        const entry = entries[done] as OutboxEntry;
        await this.bringInStep(entry, { ...call, idempotencyKey: entry.id });
        done++;
        continue;
      }
      const count = await this.moves.indexTogether(project_id, documents, call);
      done += count;
      if (count < documents.length) break;
    }
    if (this.deletedProjects.has(`${call.userId}/${project_id}`)) {
      await this.chroma.dropProject({ params: { project_id } }, call);
    }
    return done;
  }

  private async commit(entry: OutboxEntry, call: CallContext): Promise<void> {
    const { projectId, payload, recovered } = entry;
    const { uncertain, text: kept, move, ...commit } = commitPayload.parse(payload);
    const project_id = String(projectId);
    if (move !== undefined) {
      const before = (paths: readonly string[]) => this.commitBefore(entry, new Set(paths), call);
      return this.moves.commit(project_id, move, commit, call, before).catch(unlessGone);
    }
    let text = kept;
    if (uncertain === true || recovered || text === undefined) {
      const document = await this.current(project_id, commit.path, call);
      const tookPlace = text === null ? document === undefined : isOf(document?.version, commit.version);
      if (!tookPlace) return;
      text = document?.text ?? null;
    }
    await this.git.commit({ params: { project_id }, body: { ...commit, text } }, call).catch(unlessGone);
  }

  /**
   * Commits older changes of some paths before a move of them: a batch takes only the oldest change of each path. They are
   * committed once, however often they are sent. One that the history refuses does not stop the move.
   */
  private async commitBefore(entry: OutboxEntry, paths: ReadonlySet<string>, call: CallContext): Promise<void> {
    const pending = await this.outbox.store.pending('commit', entry.userId, {
      ...{ projectId: String(entry.projectId), state: 'ready' },
    });
    const at = pending.findIndex(({ id }) => id === entry.id);
    for (const older of pending.slice(0, Math.max(0, at))) {
      const concerned = changesOf(commitPayload.parse(older.payload)).some(({ path }) => paths.has(path));
      if (!concerned) continue;
      await this.commit(older, { ...call, idempotencyKey: older.id }).catch((error: unknown) => {
        if (!(error instanceof DownstreamError) || error.reason !== 'rejected') throw error;
      });
    }
  }

  /** Commits in their order: in one call what carries its text, one by one what has to be fetched first. */
  private async commitTogether(entries: readonly OutboxEntry[], call: CallContext): Promise<number> {
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
        await this.commit(entry, { ...call, idempotencyKey: entry.id });
      }
    }
    await flush(String(entries[0]?.projectId));
    return entries.length;
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

  private async current(project_id: string, path: string, call: CallContext) {
    return this.filesystem.getDocument({ params: { project_id }, query: { path } }, call).catch(unlessMissing);
  }
}

const keyOf = ({ userId, projectId, path }: DocumentKey) => `${userId}/${projectId}/${path}`;

/** The keys of all entries that may concern documents: those of their folders are of moves, '' is of several moves. */
function keysAbout(userId: string, projectId: string, paths: readonly string[]): string[] {
  const places = new Set(paths);
  for (const path of paths) {
    for (let end = path.lastIndexOf('/'); end !== -1; end = path.lastIndexOf('/', end - 1)) {
      places.add(path.slice(0, end + 1));
      if (end === 0) break;
    }
  }
  return [...places, ''].map((path) => keyOf({ userId, projectId, path }));
}

/** The changes of single documents that a commit makes. */
function changesOf(commit: CommitPayload): CommitPayload[] {
  const { move } = commit;
  if (move === undefined) return [commit];
  const documents = move.documents ?? move.planned ?? [{ from: move.from, to: move.to }];
  return documents.flatMap(({ from, to }) => [
    { ...commit, path: to },
    ...(move.copy ? [] : [{ ...commit, path: from, text: null }]),
  ]);
}

/** The project was deleted meanwhile: there is nothing to synchronise. */
function unlessGone(error: unknown): void {
  if (error instanceof DownstreamError && error.status === 410) return;
  throw error;
}

/** Whether a document is this version, or has a text that was taken from the same upload later. */
const isOf = (current: string | undefined, version: string) =>
  current === version || (current !== undefined && uploadVersion(current) === version);

const both = (index: OutboxEntry, commit: OutboxEntry | undefined) =>
  commit === undefined ? [index] : [index, commit];

/** A change that is about to be made of a document. */
export interface Planned {
  path: string;
  commit: CommitPayload | null;
  deleted?: boolean;
}

export interface HeldMove {
  readonly index: OutboxEntry;
  readonly commit: OutboxEntry;
}

export interface HeldChange {
  readonly index: OutboxEntry;
  /** Empty where the history already has the change. */
  readonly commit: OutboxEntry | undefined;
}

/** A change of which the filesystem server's answer is known. */
export interface SettledChange {
  held: HeldChange;
  /** `unchanged`: the files have this content already; then the index gets only what it has lost. */
  outcome: 'changed' | 'unchanged' | 'refused';
  waitMs: number;
}

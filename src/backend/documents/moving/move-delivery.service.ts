import { Injectable } from '@nestjs/common';
import type { EndpointOutput } from '../../../contract/endpoint.js';
import { uploadVersion } from '../../../contract/extraction-version.js';
import { ChromaClient } from '../../../downstream/chroma/chroma.client.js';
import { FilesystemClient } from '../../../downstream/filesystem/filesystem.client.js';
import type { filesystemContract } from '../../../downstream/filesystem/filesystem.contract.js';
import { GitClient } from '../../../downstream/git/git.client.js';
import type { CallContext } from '../../../resilience/policy/call-context.js';
import { DownstreamError } from '../../../resilience/policy/downstream-error.js';
import { type Move, type MovedDocument, type MovedFrom, pathBefore } from './move-payload.js';

/** What the commit of a move says beside the documents. */
export interface MoveCommit {
  author: { name: string; email: string };
  message: string;
  committed_at: string;
}

/** A document whose current state is to be indexed; `from`: it was moved from there. */
export interface IndexUpdate {
  path: string;
  from: MovedFrom | undefined;
}

type StoredText = EndpointOutput<typeof filesystemContract.getDocument>;

const PAGE = 1000;

/** Brings index and history in step with documents that were moved or copied. */
@Injectable()
export class MoveDelivery {
  constructor(
    private readonly filesystem: FilesystemClient,
    private readonly chroma: ChromaClient,
    private readonly git: GitClient,
  ) {}

  /** Indexes the current state of a document; one that was moved is also removed from its old path. */
  async index(project_id: string, path: string, from: MovedFrom | undefined, call: CallContext): Promise<void> {
    await this.indexCurrent(project_id, path, from, call);
    if (from === undefined || (await this.current(project_id, from.path, call)) !== undefined) return;
    await this.chroma.remove({ body: { project_id, path: from.path } }, call);
    // Another document was stored there meanwhile, and may have been indexed before the removal.
    if ((await this.current(project_id, from.path, call)) !== undefined) {
      await this.indexCurrent(project_id, from.path, undefined, call);
    }
  }

  private async indexCurrent(project_id: string, path: string, from: MovedFrom | undefined, call: CallContext) {
    const document = await this.current(project_id, path, call);
    if (document === undefined) {
      await this.chroma.remove({ body: { project_id, path } }, call);
      return;
    }
    await this.chroma.upsert({ body: { project_id, ...indexed(document, from) } }, call);
  }

  /**
   * {@link index} for several documents, in few calls.
   * @returns how many of them were indexed, from the first on
   */
  async indexTogether(project_id: string, documents: readonly IndexUpdate[], call: CallContext): Promise<number> {
    const answers = await this.read(project_id, documents, call);
    const stored = answers.flatMap(({ document, from }) => (document === undefined ? [] : [indexed(document, from)]));
    if (stored.length > 0) await this.chroma.upsertAll({ body: { project_id, documents: stored } }, call);
    await this.remove(
      project_id,
      answers.flatMap(({ path, isMissing }) => (isMissing ? [path] : [])),
      call,
    );
    for (const { path, document, isMissing } of answers) {
      // Its file is damaged.
      if (document === undefined && !isMissing) await this.indexCurrent(project_id, path, undefined, call);
    }
    await this.leave(
      project_id,
      answers.flatMap(({ from }) => from?.path ?? []),
      call,
    );
    return answers.length;
  }

  /** Removes documents from their old paths, where no other documents were stored meanwhile. */
  private async leave(project_id: string, paths: readonly string[], call: CallContext): Promise<void> {
    for (let left = paths.map((path) => ({ path })); left.length > 0;) {
      const answers = await this.read(project_id, left, call);
      left = left.slice(answers.length);
      const missing = answers.filter(({ isMissing }) => isMissing);
      if (missing.length === 0) continue;
      await this.remove(
        project_id,
        missing.map(({ path }) => path),
        call,
      );
      for (const { path, isMissing } of await this.read(project_id, missing, call)) {
        // Another document was stored there meanwhile, and may have been indexed before the removal.
        if (!isMissing) await this.indexCurrent(project_id, path, undefined, call);
      }
    }
  }

  private async remove(project_id: string, paths: readonly string[], call: CallContext): Promise<void> {
    if (paths.length > 0) await this.chroma.removeAll({ body: { project_id, paths: [...paths] } }, call);
  }

  /** The documents at some paths, from the first on as many as fit into one answer. */
  private async read<T extends { path: string }>(project_id: string, items: readonly T[], call: CallContext) {
    const body = { paths: items.map(({ path }) => path) };
    const read = await this.filesystem.readDocuments({ params: { project_id }, body }, call).catch(unlessMissing);
    // The project is gone, and with it all documents.
    const answers = read?.documents ?? body.paths.map((path) => ({ path, status: 404 }));
    return answers.map((answer, i) => {
      const isMissing = 'status' in answer && answer.status === 404;
      return { ...(items[i] as T), isMissing, document: 'status' in answer ? undefined : answer };
    });
  }

  /** Indexes the documents of a move whose answer was lost. */
  async indexAll(project_id: string, move: Move, call: CallContext): Promise<void> {
    for (const { from, to } of await this.documentsOf(project_id, move, call)) {
      await this.index(project_id, to, move.copy ? undefined : { path: from }, call);
    }
  }

  /** @param before delivers the commits of these paths that are older */
  async commit(
    project_id: string,
    move: Move,
    commit: MoveCommit,
    call: CallContext,
    before: (paths: readonly string[]) => Promise<void>,
  ): Promise<void> {
    const documents = move.documents ?? (await this.documentsOf(project_id, move, call));
    if (documents.length === 0) return;
    await before(documents.flatMap(({ from, to }) => [from, to]));
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
      const text = (await this.current(project_id, document.to, call))?.text;
      if (text !== undefined) await send([{ ...document, text }]);
    }
  }

  /** The documents that have the version of the move; none where the filesystem server did not make it. */
  private async documentsOf(project_id: string, move: Move, call: CallContext): Promise<MovedDocument[]> {
    if (move.planned !== undefined) return this.plannedOf(project_id, move.version, move.planned, call);
    const params = { project_id };
    const query = { prefix: move.to, limit: PAGE, offset: 0 };
    const found: MovedDocument[] = [];
    for (let total = Infinity; query.offset < total; query.offset += PAGE) {
      const page = await this.filesystem.listDocuments({ params, query }, call).catch(unlessMissing);
      total = page?.total ?? 0;
      for (const { path, version } of page?.documents ?? []) {
        const isMoved = uploadVersion(version) === move.version && (move.to.endsWith('/') || path === move.to);
        if (isMoved) found.push({ from: pathBefore(move, path), to: path });
      }
    }
    return found;
  }

  /** Those documents of a move of several that have its version. */
  private async plannedOf(
    project_id: string,
    version: string,
    planned: readonly MovedDocument[],
    call: CallContext,
  ): Promise<MovedDocument[]> {
    const found: MovedDocument[] = [];
    for (const { from, to } of planned) {
      const document = await this.current(project_id, to, call);
      if (document !== undefined && uploadVersion(document.version) === version) found.push({ from, to });
    }
    return found;
  }

  private current(project_id: string, path: string, call: CallContext) {
    return this.filesystem.getDocument({ params: { project_id }, query: { path } }, call).catch(unlessMissing);
  }
}

/** What the index gets of a document. */
function indexed(document: StoredText, from: MovedFrom | undefined) {
  const { path, version, title, media_type, text, pages, tags } = document;
  const moved_from = from?.version === undefined ? undefined : { path: from.path, version: from.version };
  return { path, version, title, media_type, text, pages, tags, ...(moved_from && { moved_from }) };
}

export function unlessMissing(error: unknown): undefined {
  if (!(error instanceof DownstreamError) || error.status !== 404) throw error;
}

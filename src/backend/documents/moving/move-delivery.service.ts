import { Injectable } from '@nestjs/common';
import { uploadVersion } from '../../../contract/extraction-version.js';
import { ChromaClient } from '../../../downstream/chroma/chroma.client.js';
import { FilesystemClient } from '../../../downstream/filesystem/filesystem.client.js';
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
    const { version, title, media_type, text, pages } = document;
    const moved_from = from?.version === undefined ? undefined : { path: from.path, version: from.version };
    await this.chroma.upsert(
      { body: { project_id, path, version, title, media_type, text, pages, ...(moved_from && { moved_from }) } },
      call,
    );
  }

  /**
   * {@link index} for several documents that were not moved, in one call.
   * @returns how many of them were indexed, from the first on
   */
  async indexTogether(project_id: string, paths: readonly string[], call: CallContext): Promise<number> {
    const body = { paths: [...paths] };
    const read = await this.filesystem.readDocuments({ params: { project_id }, body }, call).catch(unlessMissing);
    // The project is gone, and with it all documents.
    const answers = read?.documents ?? paths.map((path) => ({ path, status: 404 }));
    const documents = answers.flatMap((answer) => {
      if ('status' in answer) return [];
      const { path, version, title, media_type, text, pages } = answer;
      return [{ path, version, title, media_type, text, ...(pages && { pages }) }];
    });
    if (documents.length > 0) await this.chroma.upsertAll({ body: { project_id, documents } }, call);
    for (const answer of answers) {
      // A document that is missing, or whose file is damaged.
      if ('status' in answer) await this.indexCurrent(project_id, answer.path, undefined, call);
    }
    return answers.length;
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

  private current(project_id: string, path: string, call: CallContext) {
    return this.filesystem.getDocument({ params: { project_id }, query: { path } }, call).catch(unlessMissing);
  }
}

function unlessMissing(error: unknown): undefined {
  if (!(error instanceof DownstreamError) || error.status !== 404) throw error;
}

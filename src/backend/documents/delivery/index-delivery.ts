import { z } from 'zod';
import type { ChromaClient } from '../../../downstream/chroma/chroma.client.js';
import type { FilesystemClient } from '../../../downstream/filesystem/filesystem.client.js';
import type { OutboxEntry } from '../../../outbox/outbox.store.js';
import type { CallContext } from '../../../resilience/policy/call-context.js';
import { type Move, type MovedFrom, movedFromSchema, moveSchema } from '../moving/move-payload.js';
import { movedDocuments } from './moved-documents.js';
import { documentAt, type StoredDocument, unlessMissing } from './stored-document.js';

/** An update of the index to the current state of a document. */
export const indexPayload = z.object({
  path: z.string(),
  /** Whether the change is a deletion. */
  deleted: z.boolean().default(false),
  /** For a document that was moved. */
  moved_from: movedFromSchema.optional(),
  /** For a move whose documents are not known yet. */
  move: moveSchema.optional(),
  /** Whether the index forgets the document first, so that its passages are made anew. */
  anew: z.boolean().default(false),
});

/** A document whose current state is to be indexed; `from`: it was moved from there. */
interface IndexUpdate {
  path: string;
  from: MovedFrom | undefined;
}

/** Brings the index of one chroma server in step with the documents. */
export class IndexDelivery {
  constructor(
    private readonly filesystem: FilesystemClient,
    private readonly chroma: ChromaClient,
    /** Whether a project was deleted a short time ago. */
    private readonly isDeleted: (userId: string | undefined, projectId: string) => boolean,
  ) {}

  async deliver({ projectId, payload }: OutboxEntry, call: CallContext): Promise<void> {
    const project_id = String(projectId);
    const { path, moved_from: before, move, anew } = indexPayload.parse(payload);
    if (anew) await this.remove(project_id, [path], call);
    if (move !== undefined) await this.indexAll(project_id, move, call);
    else if (before === undefined) await this.indexTogether(project_id, [{ path, from: undefined }], call);
    else await this.index(project_id, path, before, call);
    await this.unlessDeleted(project_id, call);
  }

  /** @returns how many of the entries it has delivered: the server returns as many texts as fit into one answer */
  async deliverTogether(entries: readonly OutboxEntry[], call: CallContext): Promise<number> {
    const project_id = String(entries[0]?.projectId);
    const updates = entries.map(({ payload }) => indexPayload.parse(payload));
    const anew = updates.flatMap(({ path, anew }) => (anew ? [path] : []));
    await this.remove(project_id, anew, call);
    let done = 0;
    while (done < entries.length) {
      const left = updates.slice(done);
      const next = left.findIndex(({ move }) => move !== undefined);
      const documents = left.slice(0, next === -1 ? left.length : next);
      if (documents.length === 0) {
        const entry = entries[done] as OutboxEntry;
        await this.deliver(entry, { ...call, idempotencyKey: entry.id });
        done++;
        continue;
      }
      const items = documents.map(({ path, moved_from: from }) => ({ path, from }));
      const count = await this.indexTogether(project_id, items, call);
      done += count;
      if (count < documents.length) break;
    }
    await this.unlessDeleted(project_id, call);
    return done;
  }

  /** The project may have been deleted while a text was being fetched. */
  private async unlessDeleted(project_id: string, call: CallContext): Promise<void> {
    if (this.isDeleted(call.userId, project_id)) await this.chroma.dropProject({ params: { project_id } }, call);
  }

  /** Indexes the current state of a document; one that was moved is also removed from its old path. */
  private async index(project_id: string, path: string, from: MovedFrom | undefined, call: CallContext): Promise<void> {
    await this.indexCurrent(project_id, path, from, call);
    if (from === undefined || (await documentAt(this.filesystem, project_id, from.path, call)) !== undefined) return;
    await this.chroma.remove({ body: { project_id, path: from.path } }, call);
    // Another document was stored there meanwhile, and may have been indexed before the removal.
    if ((await documentAt(this.filesystem, project_id, from.path, call)) !== undefined) {
      await this.indexCurrent(project_id, from.path, undefined, call);
    }
  }

  private async indexCurrent(project_id: string, path: string, from: MovedFrom | undefined, call: CallContext) {
    const document = await documentAt(this.filesystem, project_id, path, call);
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
  private async indexTogether(
    project_id: string,
    documents: readonly IndexUpdate[],
    call: CallContext,
  ): Promise<number> {
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
  private async indexAll(project_id: string, move: Move, call: CallContext): Promise<void> {
    for (const { from, to } of await movedDocuments(this.filesystem, project_id, move, call)) {
      await this.index(project_id, to, move.copy ? undefined : { path: from }, call);
    }
  }
}

/** What the index gets of a document. */
function indexed(document: StoredDocument, from: MovedFrom | undefined) {
  const { path, version, title, media_type, text, pages, tags } = document;
  const moved_from = from?.version === undefined ? undefined : { path: from.path, version: from.version };
  return { path, version, title, media_type, text, pages, tags, ...(moved_from && { moved_from }) };
}

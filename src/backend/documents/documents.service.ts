import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { InjectConfig } from '../../config/config.module.js';
import type { Config } from '../../config/config.schema.js';
import { ChromaClient } from '../../downstream/chroma/chroma.client.js';
import type { EndpointOutput } from '../../contract/endpoint.js';
import type { filesystemContract } from '../../downstream/filesystem/filesystem.contract.js';
import { FilesystemClient } from '../../downstream/filesystem/filesystem.client.js';
import { GitClient } from '../../downstream/git/git.client.js';
import { badRequest, notFound } from '../../http/problem.js';
import { DownstreamError } from '../../resilience/policy/downstream-error.js';
import { arrivalMs } from '../call/arrival.js';
import { change } from '../call/change.js';
import { Deletions } from '../call/deletions.js';
import { IndexRepair } from './repair/index-repair.service.js';
import { RecognitionWatch } from './recognition/recognition-watch.service.js';
import { claimedId } from '../call/claim.js';
import { withoutRetries } from '../call/waiting.js';
import type { OwnerCall, UserCall } from '../call/public-call.js';
import { HistoryCopies, IndexCopies } from '../copies/copies.module.js';
import { DocumentSync, type HeldChange, KEPT_TEXT_CHARS, type SettledChange } from './document-sync.service.js';
import type { CommitPayload } from './delivery/commit-delivery.js';
import { commitOf } from './commit-of.js';
import { ProjectEvents } from '../projects/project-events.js';
import { mediaTypeOf } from '../../text/media-type.js';
import type { Upload } from './upload.js';

/** A document of {@link DocumentsService.putAll}. */
export interface TextUpload {
  path: string;
  media_type: string;
  text: string;
}
type PutText = ReturnType<typeof answer>['document'] | { path: string; error: { code: string; detail: string } };

@Injectable()
export class DocumentsService {
  constructor(
    @InjectConfig() private readonly config: Config,
    private readonly filesystem: FilesystemClient,
    private readonly chroma: ChromaClient,
    private readonly git: GitClient,
    private readonly indexes: IndexCopies,
    private readonly histories: HistoryCopies,
    private readonly sync: DocumentSync,
    private readonly events: ProjectEvents,
    private readonly deletions: Deletions,
    private readonly repair: IndexRepair,
    private readonly recognition: RecognitionWatch,
  ) {}

  /**
   * @param upload its `tags` are set where the document is created
   * @param verb what the message of the commit says of the document
   */
  async put(
    projectId: string,
    path: string,
    upload: Upload & { tags?: string[] | undefined },
    ifMatch: string | undefined,
    call: Omit<UserCall, 'claim'> & { claim?: UserCall['claim'] | undefined },
    verb = 'Save',
  ) {
    const version = newVersion(call);
    const keptText = upload.text !== undefined && upload.text.length <= KEPT_TEXT_CHARS ? { text: upload.text } : {};
    const commit = { ...commitOf(call, path, version, verb), ...keptText };
    const condition = ifMatch === undefined ? {} : { if_match: ifMatch };
    return this.store(projectId, path, version, { ...upload, ...condition }, commit, call);
  }

  /**
   * Stores the texts of several documents, no two of one path, each as {@link put} does; they share their writes.
   * Returns when they are stored; each answer waits for the index, as that of {@link put}.
   */
  async putAll(projectId: string, texts: readonly TextUpload[], call: UserCall): Promise<Promise<PutText>[]> {
    const { userId } = call;
    const arrived_ms = arrivalMs();
    const stale = await this.sync.staleDocuments(userId, projectId, { paths: texts.map(({ path }) => path) });
    const commits = texts.map(({ path, text }) => ({ ...commitOf(call, path, randomUUID(), 'Save'), text }));
    const planned = commits.map((commit) => ({ path: commit.path, commit }));
    const held = await this.sync.holdAll({ userId, projectId }, planned);
    const uploads = texts.map((text, i) => ({ ...text, version: (commits[i] as CommitPayload).version, arrived_ms }));
    const { documents } = await change(
      // A disconnect of the caller does not cancel the write.
      { ...call, signal: undefined },
      (own) => this.filesystem.putDocuments({ params: { project_id: projectId }, body: { documents: uploads } }, own),
      (nothingDone) => this.sync.abandonAll(held, nothingDone),
    );
    const waitMs = (path: string) => (stale.has(path) ? 0 : this.config.documents.index_wait_ms);
    const changes = documents.map((document, i): SettledChange => ({
      held: held[i] as HeldChange,
      outcome: 'status' in document ? 'refused' : document.changed ? 'changed' : 'unchanged',
      waitMs: waitMs(document.path),
    }));
    if (changes.some(({ outcome }) => outcome === 'changed')) this.events.changed(userId, projectId);
    const indexed = await this.sync.releaseAll(changes);
    return documents.map(async (document, i) => {
      if ('status' in document) return { path: document.path, error: { code: document.code, detail: document.detail } };
      return answer(document, (await indexed[i]) === true && !stale.has(document.path)).document;
    });
  }

  /** Stores a text that the history already has, under its version there. */
  putFromHistory(projectId: string, path: string, version: string, text: string, call: OwnerCall) {
    return this.store(projectId, path, version, { media_type: mediaTypeOf(path), text }, null, call);
  }

  private store(
    projectId: string,
    path: string,
    version: string,
    upload: Upload & { if_match?: string; tags?: string[] | undefined },
    commit: CommitPayload | null,
    call: OwnerCall,
  ) {
    const params = { project_id: projectId };
    return this.write(projectId, path, commit, call, (arrived_ms, own) =>
      this.filesystem.putDocument({ params, query: { path }, body: { version, arrived_ms, ...upload } }, own),
    );
  }

  /** Puts a document from the trash back to its path. @param trashed its version there; by default the one deleted last */
  async restoreTrashed(projectId: string, path: string, trashed: string | undefined, call: UserCall) {
    const version = newVersion(call);
    const params = { project_id: projectId };
    const commit = commitOf(call, path, version, 'Restore');
    const restored = await this.write(projectId, path, commit, call, (arrived_ms, own) => {
      const body = { version, arrived_ms, ...(trashed !== undefined && { trashed_version: trashed }) };
      return this.filesystem.restoreDocument({ params, query: { path }, body }, own);
    });
    return restored.document;
  }

  /** Sets the tags of a document, and waits a bounded time for the index. */
  async setTags(projectId: string, path: string, tags: readonly string[], call: UserCall) {
    const { userId } = call;
    const params = { project_id: projectId };
    const held = await this.sync.hold({ userId, projectId, path }, null, false);
    const tagged = await change(
      { ...call, signal: undefined },
      (own) => this.filesystem.tagDocument({ params, query: { path }, body: { tags: [...tags] } }, own),
      (nothingDone) => this.sync.abandon(held, nothingDone),
    ).catch(namePath);
    this.events.changed(userId, projectId);
    const isIndexed = await this.sync.release(held, this.config.documents.index_wait_ms);
    return { path, tags: tagged.tags ?? [], indexed: isIndexed ? ('done' as const) : ('queued' as const) };
  }

  /** Extracts the text of a document from its original again. */
  extract(projectId: string, path: string, call: UserCall) {
    const version = newVersion(call);
    const params = { project_id: projectId };
    return this.write(projectId, path, commitOf(call, path, version, 'Extract'), call, (arrived_ms, own) =>
      this.filesystem.extractDocument({ params, query: { path }, body: { version, arrived_ms } }, own),
    );
  }

  /** Changes a document and queues the updates of index and history. */
  private async write(
    projectId: string,
    path: string,
    commit: CommitPayload | null,
    call: OwnerCall,
    put: (arrivedMs: number, own: OwnerCall) => Promise<StoredDocument>,
  ) {
    const arrivedAtMs = arrivalMs();
    const { userId } = call;
    const wasStale = await this.sync.isStale({ userId, projectId, path });
    const held = await this.sync.hold({ userId, projectId, path }, commit, false);
    const stored = await change(
      // A disconnect of the caller does not cancel the write.
      { ...call, signal: undefined },
      (own) => put(arrivedAtMs, own),
      (nothingDone) => this.sync.abandon(held, nothingDone),
    ).catch(namePath);
    if (stored.warnings?.some(({ code }) => code === 'ocr_pending') === true) this.recognition.expect();
    if (!stored.changed) {
      // The index may have lost the document although the files have it. The update is queued, and does nothing where
      // the index has it.
      const indexed = await this.sync.releaseIndex(held, wasStale ? 0 : this.config.documents.index_wait_ms);
      return answer(stored, indexed && !wasStale);
    }
    this.events.changed(userId, projectId);
    // With an earlier change still waiting for its index update, waiting for this one is useless.
    return answer(stored, await this.sync.release(held, wasStale ? 0 : this.config.documents.index_wait_ms));
  }

  /** @param toTrash whether the document can be restored with its original for some days */
  async delete(projectId: string, path: string, toTrash: boolean, call: UserCall): Promise<void> {
    const commit = { ...commitOf(call, path, randomUUID(), 'Delete'), text: null };
    if (!(await this.remove(projectId, path, commit, toTrash, call))) {
      throw notFound(`path: there is no document ${JSON.stringify(path)} in this project.`);
    }
  }

  /** Deletes a document that the history already records as deleted. */
  async deleteFromHistory(projectId: string, path: string, call: OwnerCall): Promise<void> {
    await this.remove(projectId, path, null, false, call);
  }

  /** @returns whether the document existed */
  private async remove(
    projectId: string,
    path: string,
    commit: CommitPayload | null,
    toTrash: boolean,
    call: OwnerCall,
  ): Promise<boolean> {
    const { userId } = call;
    const arrived_ms = arrivalMs();
    const held = await this.sync.hold({ userId, projectId, path }, commit, true);
    const params = { project_id: projectId };
    const { deleted } = await change(
      { ...call, signal: undefined },
      (own) =>
        this.filesystem.deleteDocument({ params, query: { path, arrived_ms, ...(toTrash && { trash: 'true' }) } }, own),
      (nothingDone) => this.sync.abandon(held, nothingDone),
    ).catch(namePath);
    if (!deleted) {
      await this.sync.abandon(held, true);
      return false;
    }
    this.events.changed(userId, projectId);
    await this.deletions.deleted({ kind: 'document', userId, projectId });
    await this.sync.release(held, this.config.documents.index_wait_ms);
    return true;
  }

  list(projectId: string, query: { prefix: string; limit: number; offset: number }, call: OwnerCall) {
    return this.filesystem.listDocuments({ params: { project_id: projectId }, query }, call);
  }

  async index(projectId: string, call: UserCall) {
    const params = { project_id: projectId };
    const reading = await this.indexes.reading(call.userId, projectId);
    const [index, ocr] = await Promise.all([
      this.chroma.describe({ params }, reading.of(call)),
      withoutRetries(
        'filesystem',
        call,
        (impatient) => this.filesystem.recognition({ params }, impatient),
        this.config.search.context_budget_ms,
      ).catch(unlessAway),
    ]);
    const { endpoint } = reading;
    const [behind, rebuilding] = await Promise.all([
      this.sync.staleDocuments(call.userId, projectId, { endpoint }),
      this.repair.isRebuilding(call.userId, projectId, endpoint),
    ]);
    const state = rebuilding ? ('rebuilding' as const) : ('ready' as const);
    return { ...index, queued: behind.size, index: state, ...(ocr && { ocr }) };
  }

  /** The current text of a document, or its text at a version. */
  async get(projectId: string, path: string, version: string | undefined, call: UserCall) {
    const params = { project_id: projectId };
    const current = await this.filesystem.getDocument({ params, query: { path } }, call).catch((error: unknown) => {
      if (version !== undefined && error instanceof DownstreamError && error.status === 404) return undefined;
      throw error;
    });
    if (current !== undefined && (version === undefined || version === current.version)) return current;
    const own = await this.histories.of(projectId, call);
    const past = await this.git.textAt({ params, query: { path, version: String(version) } }, own);
    if (past.text === null)
      throw notFound(`version: the document was deleted at ${JSON.stringify(version)}, so it has no text there.`);
    return { path, version: past.version, text: past.text, media_type: current?.media_type ?? 'text/plain' };
  }

  /** The uploaded file, also where no text could be extracted from it. */
  async original(projectId: string, path: string, call: UserCall): Promise<{ media_type: string; content: Buffer }> {
    const params = { project_id: projectId };
    try {
      const { media_type, content_base64 } = await this.filesystem.getOriginal({ params, query: { path } }, call);
      return { media_type, content: Buffer.from(content_base64, 'base64') };
    } catch (error) {
      if (!(error instanceof DownstreamError) || error.status !== 404) throw error;
    }
    // No separate original is stored where the upload was the text itself.
    const { media_type, text } = await this.filesystem.getDocument({ params, query: { path } }, call);
    return { media_type: `${media_type}; charset=utf-8`, content: Buffer.from(text) };
  }
}

/** Undefined while the server is away. */
function unlessAway(error: unknown): undefined {
  if (!(error instanceof DownstreamError)) throw error;
}

/** A rejection of our request by the filesystem server can only concern its path. */
function namePath(error: unknown): never {
  if (
    error instanceof DownstreamError &&
    error.reason === 'rejected' &&
    error.status === 400 &&
    error.problem?.code === 'invalid_request'
  ) {
    throw badRequest('invalid_path', error.problem.detail);
  }
  throw error;
}

type StoredDocument = EndpointOutput<typeof filesystemContract.putDocument>;

const newVersion = ({ claim }: UserCall) => (claim ? claimedId(claim, 'version') : randomUUID());

function answer(stored: StoredDocument, indexed: boolean) {
  const { path, version, bytes, created, warnings } = stored;
  const document = { path, version, bytes, indexed: indexed ? ('done' as const) : ('queued' as const) };
  return { created, document: warnings === undefined ? document : { ...document, warnings } };
}

import { Injectable, Logger } from '@nestjs/common';
import { nextExtraction } from '../../../../contract/extraction-version.js';
import type { PageStart } from '../../../../contract/page.contract.js';
import { Semaphore } from '../../../../http/semaphore.js';
import { Problem } from '../../../../http/problem.js';
import { StorageUnavailable } from '../../../../storage/storage-errors.js';
import { analyseDocument } from '../../../../text/analysed-document.js';
import type { ProjectKey } from '../../../../text/lexical-index.js';
import { titleOf } from '../../../../text/title.js';
import { DamagedFile, DocumentFiles, type StoredFile } from '../files/document-files.js';
import { BackgroundRecognition } from './background-recognition.js';
import { type DocumentRow, infoOf, originalOf } from './document-row.js';
import { type Decision, DocumentStore, type PathState } from './document-store.js';
import { type ReadUpload, UploadReader } from './document-upload.js';
import { RecentTexts } from './recent-texts.js';
import { asideOf, decision, refuseSuperseded, rowOf, type WriteRequest, type Written } from './write-decision.js';
import { type KnownText, pendingPages } from '../extraction/recognition/recognised-text.js';
import { requireThere } from '../projects/project-state.js';
import { UnreadableDocument } from '../extraction/text-extractor.js';

/** The size above which a text blocks noticeably; smaller texts overtake waiting large ones. */
export const LARGE_CHARS = 100_000;
/** One per user at a time. Wait and work together fit into the caller's limit. */
const LARGE = { concurrent: 2, perUser: 1, waiting: 16, waitMs: 5000 };

/** Stores documents: the files first, then in one transaction the row that names them and the full-text index. */
@Injectable()
export class DocumentWriter {
  private readonly log = new Logger('Documents');
  private readonly large = new Semaphore(LARGE, 'large documents to be stored');

  constructor(
    private readonly documents: DocumentStore,
    private readonly files: DocumentFiles,
    private readonly recent: RecentTexts,
    private readonly uploads: UploadReader,
    private readonly recognition: BackgroundRecognition,
  ) {}

  /** @throws the problems that the contract names */
  async put(key: ProjectKey, path: string, request: WriteRequest): Promise<Written> {
    const before = await this.documents.state(key, path);
    requireThere(key.projectId, before.project);
    const upload = await this.uploads.read(request, key.userId).catch(async (error: unknown) => {
      throw error instanceof UnreadableDocument ? await this.keepUnreadable(key, path, request, error) : error;
    });
    const damaged = await this.damagedFile(key, before.document, upload);
    const decide = (state: PathState) => {
      refuseSuperseded(state, path, request);
      return decision(state.document, { ...request, ...upload }, damaged);
    };
    const first = decide(before);
    if (first !== 'store') return first;

    const work = () => this.write(key, path, request, upload, decide);
    const written = await (upload.text.length > LARGE_CHARS ? this.large.pass(key.userId, work) : work());
    if (written.changed && pendingPages(upload.warnings).isPending) this.recognition.waits(key, written.row);
    return written;
  }

  /**
   * Gives a document another text that was taken from its original, under the next version of the same upload.
   * @returns undefined where the document was changed since `version`
   * @throws Problem 507 `quota_exceeded`
   */
  async rewrite(
    key: ProjectKey,
    path: string,
    version: string,
    change: (known: KnownText) => KnownText,
  ): Promise<DocumentRow | undefined> {
    const before = await this.documents.find(key, path);
    if (before?.version !== version) return undefined;
    const { warnings = [] } = infoOf(before);
    const known = (await this.files.read(key, before)).toString();
    const changed = change({ text: known, pages: JSON.parse(before.pages ?? '[]') as PageStart[], warnings });
    const content = Buffer.from(changed.text);
    const { text, pages } = changed;
    const title = titleOf(path, text, before.media_type);
    const analysed = await analyseDocument({ path, title, text, mediaType: before.media_type, pages });
    return this.store(key, path, [content], ({ document }, stored) => {
      if (document?.version !== version) return { result: undefined };
      const row: DocumentRow = {
        ...{ ...before, ...stored, title, bytes: content.length, version: nextExtraction(version) },
        ...{ updated_at: new Date().toISOString(), ...asideOf(changed) },
        stored_bytes: before.stored_bytes - before.bytes + content.length,
      };
      return { result: row, document: { row, analysed } };
    });
  }

  private async write(
    key: ProjectKey,
    path: string,
    request: WriteRequest,
    upload: ReadUpload,
    decide: (state: PathState) => 'store' | Written,
  ): Promise<Written> {
    const { media_type, text, content, original, pages } = upload;
    const title = titleOf(path, text, media_type);
    const analysed = await analyseDocument({ path, title, text, mediaType: media_type, pages });
    const contents = original === undefined ? [content] : [content, original];
    const written = await this.store<Written>(key, path, contents, (state, stored, kept) => {
      const now = decide(state);
      if (now !== 'store') return { result: now };
      const row = rowOf(state.document, path, title, { ...request, ...upload }, stored, kept);
      const created = row.version === row.first_version;
      return { result: { row, created, changed: true }, document: { row, analysed } };
    });
    if (written.changed && text.length <= LARGE_CHARS) this.recent.keep(written.row.file, text);
    return written;
  }

  /** A file from which no text can be extracted is stored too; it does not replace a document at the same path. */
  private async keepUnreadable(key: ProjectKey, path: string, upload: WriteRequest, fault: UnreadableDocument) {
    const content = Buffer.from(upload.content_base64 ?? '', 'base64');
    const { message: reason } = fault;
    const received_at = new Date().toISOString();
    await this.store(key, path, [content], (state, stored) => {
      refuseSuperseded(state, path, upload);
      const { media_type } = upload;
      const row = { path, media_type, reason, received_at, stored_bytes: content.length, ...stored };
      return { result: undefined, unreadable: row };
    });
    return new Problem({
      status: 422,
      code: 'unreadable_document',
      detail: `No text can be taken from ${path}: ${reason}. The file itself is kept.`,
    });
  }

  /**
   * Writes files and lets `decide` choose whether the database names them. Then files that no row names are removed;
   * after a crash before that, the next sweep removes them.
   */
  private async store<T>(
    key: ProjectKey,
    path: string,
    contents: readonly Uint8Array[],
    decide: (state: PathState, ...written: StoredFile[]) => Decision<T>,
  ): Promise<T> {
    const written: StoredFile[] = [];
    let unneeded: (string | null)[] | undefined;
    try {
      for (const content of contents) written.push(await this.files.write(key, content));
      const changed = await this.documents.change(key, path, (state) => {
        requireThere(key.projectId, state.project);
        return decide(state, ...written);
      });
      if (changed.stored) unneeded = changed.unneeded;
      return changed.result;
    } catch (error) {
      // The connection may have been lost during the commit: then rows may name these files. If not, the sweep removes them.
      if (error instanceof StorageUnavailable) unneeded = [];
      throw error;
    } finally {
      await this.files
        .remove(key, unneeded ?? written.map(({ file }) => file))
        .catch((error: Error) =>
          this.log.warn(`a file that is not needed stays until the next sweep: ${error.message}`),
        );
    }
  }

  /**
   * Returns the stored file where it should contain this text and it or its original is damaged: then the same text
   * must be written again.
   */
  private async damagedFile(
    key: ProjectKey,
    current: DocumentRow | undefined,
    { sha256 }: ReadUpload,
  ): Promise<string | undefined> {
    if (current?.sha256 !== sha256) return undefined;
    try {
      await this.files.read(key, current);
      const original = originalOf(current);
      if (original !== undefined) await this.files.read(key, original);
      return undefined;
    } catch (error) {
      if (error instanceof DamagedFile) return current.file;
      throw error;
    }
  }
}

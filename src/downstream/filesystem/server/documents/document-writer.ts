import { Injectable, Logger } from '@nestjs/common';
import { nextExtraction, uploadVersion } from '../../../../contract/extraction-version.js';
import type { PageStart } from '../../../../contract/page.contract.js';
import { Semaphore } from '../../../../http/semaphore.js';
import { Problem } from '../../../../http/problem.js';
import { analyseDocument } from '../../../../text/analysed-document.js';
import type { ProjectKey } from '../../../../text/lexical-index.js';
import { titleOf } from '../../../../text/title.js';
import { DamagedFile, DocumentFiles, hashOf, type StoredFile } from '../files/document-files.js';
import { BackgroundRecognition } from './background-recognition.js';
import { type DocumentRow, DocumentStore, infoOf, originalOf } from './document-store.js';
import { type ReadUpload, type Upload, UploadReader } from './document-upload.js';
import { type KnownText, pendingPages } from '../extraction/recognition/recognised-text.js';
import { ProjectsService } from '../projects/projects.service.js';
import { UnreadableDocument } from '../extraction/text-extractor.js';

export interface WriteRequest extends Upload {
  version: string;
  if_match?: string | undefined;
  /** When the change arrived, in ms since 1970. A change that arrived before the current state is dropped. */
  arrived_ms?: number | undefined;
  /** Whether pictures are to be recognised again where the same file was uploaded before. */
  again?: boolean;
}

/** The size above which a text blocks noticeably; smaller texts overtake waiting large ones. */
const LARGE_CHARS = 100_000;
/** One per user at a time. Wait and work together fit into the caller's limit. */
const LARGE = { concurrent: 2, perUser: 1, waiting: 16, waitMs: 5000 };

export interface Written {
  row: DocumentRow;
  created: boolean;
  changed: boolean;
}

/** Stores documents: the files first, then in one transaction the row that names them and the full-text index. */
@Injectable()
export class DocumentWriter {
  private readonly log = new Logger('Documents');
  private readonly large = new Semaphore(LARGE, 'large documents to be stored');

  constructor(
    private readonly projects: ProjectsService,
    private readonly documents: DocumentStore,
    private readonly files: DocumentFiles,
    private readonly uploads: UploadReader,
    private readonly recognition: BackgroundRecognition,
  ) {}

  /** @throws the problems that the contract names */
  async put(key: ProjectKey, path: string, request: WriteRequest): Promise<Written> {
    this.projects.requireWritable(key);
    const upload = await this.uploads.read(request, key.userId).catch(async (error: unknown) => {
      throw error instanceof UnreadableDocument ? await this.keepUnreadable(key, path, request, error) : error;
    });
    const damaged = await this.damagedFile(key, path, upload);
    const decide = () => {
      this.refuseSuperseded(key, path, request);
      return decision(this.documents.find(key, path), { ...request, ...upload }, damaged);
    };
    const first = decide();
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
    const before = this.documents.find(key, path);
    if (before?.version !== version) return undefined;
    const { warnings = [] } = infoOf(before);
    const known = (await this.files.read(key, before)).toString();
    const changed = change({ text: known, pages: JSON.parse(before.pages ?? '[]') as PageStart[], warnings });
    const content = Buffer.from(changed.text);
    const { media_type } = before;
    const title = titleOf(path, changed.text, media_type);
    const analysed = await analyseDocument({
      path,
      title,
      text: changed.text,
      mediaType: media_type,
      pages: changed.pages,
    });
    return this.store(key, [content], (stored) => {
      if (this.documents.find(key, path)?.version !== version) return { result: undefined, unneeded: [stored.file] };
      const row: DocumentRow = {
        ...{ ...before, ...stored, title, bytes: content.length, version: nextExtraction(version) },
        ...{ updated_at: new Date().toISOString(), ...asideOf(changed) },
        stored_bytes: before.stored_bytes - before.bytes + content.length,
      };
      const unneeded = this.documents.put(key, row, analysed).filter((file) => file !== before.original_file);
      return { result: row, unneeded };
    });
  }

  private async write(
    key: ProjectKey,
    path: string,
    request: WriteRequest,
    upload: ReadUpload,
    decide: () => 'store' | Written,
  ): Promise<Written> {
    const { media_type, text, content, original, pages } = upload;
    const title = titleOf(path, text, media_type);
    const analysed = await analyseDocument({ path, title, text, mediaType: media_type, pages });
    const contents = original === undefined ? [content] : [content, original];
    return this.store(key, contents, (stored, kept) => {
      const now = decide();
      if (now !== 'store') return { result: now, unneeded: [stored.file, kept?.file ?? null] };
      const { version } = request;
      const first_version = this.documents.find(key, path)?.first_version ?? version;
      const row: DocumentRow = {
        ...{ path, version, first_version, title, media_type, bytes: content.length },
        ...{ updated_at: new Date().toISOString(), arrived_ms: request.arrived_ms ?? Date.now(), ...stored },
        ...{ original_file: kept?.file ?? null, original_sha256: kept?.sha256 ?? null },
        original_type: kept === undefined ? null : upload.original_type,
        stored_bytes: content.length + (original?.length ?? 0),
        ...asideOf(upload),
      };
      const unneeded = this.documents.put(key, row, analysed);
      return { result: { row, created: version === first_version, changed: true }, unneeded };
    });
  }

  /** @throws Problem 409 `superseded` */
  private refuseSuperseded(key: ProjectKey, path: string, { arrived_ms = Infinity, version }: WriteRequest): void {
    const changed = this.documents.changedSince(key, path, arrived_ms);
    if (changed === undefined || (changed.version !== null && uploadVersion(changed.version) === version)) return;
    throw new Problem({
      status: 409,
      code: 'superseded',
      detail: `${path} was ${changed.version === null ? 'deleted' : 'replaced'} by a change that came in after this one; this one was not stored.`,
    });
  }

  /** A file from which no text can be extracted is stored too; it does not replace a document at the same path. */
  private async keepUnreadable(key: ProjectKey, path: string, upload: WriteRequest, fault: UnreadableDocument) {
    const content = Buffer.from(upload.content_base64 ?? '', 'base64');
    const { message: reason } = fault;
    const received_at = new Date().toISOString();
    await this.store(key, [content], (stored) => {
      this.refuseSuperseded(key, path, upload);
      const row = { path, media_type: upload.media_type, reason, received_at, stored_bytes: content.length, ...stored };
      return { result: undefined, unneeded: this.documents.putUnreadable(key, row) };
    });
    return new Problem({
      status: 422,
      code: 'unreadable_document',
      detail: `No text can be taken from ${path}: ${reason}. The file itself is kept.`,
    });
  }

  /**
   * Writes files and lets `commit` record them in the database. Then files that no row names are removed; after a crash
   * before that, the next start removes them.
   */
  private async store<T>(
    key: ProjectKey,
    contents: readonly Uint8Array[],
    commit: (...written: StoredFile[]) => { result: T; unneeded: (string | null)[] },
  ): Promise<T> {
    const written: StoredFile[] = [];
    let unneeded: (string | null)[] | undefined;
    try {
      for (const content of contents) written.push(await this.files.write(key, content));
      const committed = this.documents.atomically(() => {
        this.projects.requireWritable(key);
        return commit(...written);
      });
      unneeded = committed.unneeded;
      return committed.result;
    } finally {
      await this.files
        .remove(key, unneeded ?? written.map(({ file }) => file))
        .catch((error: Error) =>
          this.log.warn(`a file that is not needed stays until the next start: ${error.message}`),
        );
    }
  }

  /**
   * Returns the stored file where it should contain this text and it or its original is damaged: then the same text
   * must be written again.
   */
  private async damagedFile(key: ProjectKey, path: string, { sha256 }: ReadUpload): Promise<string | undefined> {
    const current = this.documents.find(key, path);
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

/** The data about a text, in the form in which they are stored. */
function asideOf({ warnings, pages }: Pick<ReadUpload, 'warnings' | 'pages'>): Pick<DocumentRow, 'warnings' | 'pages'> {
  const json = (list: readonly object[]) => (list.length === 0 ? null : JSON.stringify(list));
  return { warnings: json(warnings), pages: json(pages) };
}

/** The effect of a request on the current document. @throws Problem 409 `version_taken`, 412 `version_conflict` */
function decision(
  current: DocumentRow | undefined,
  wanted: ReadUpload & WriteRequest,
  damaged: string | undefined,
): 'store' | Written {
  const { version, if_match } = wanted;
  const { warnings, pages } = asideOf(wanted);
  const same =
    current?.media_type === wanted.media_type &&
    (isRecognising(current, wanted) ||
      (current.sha256 === wanted.sha256 && current.warnings === warnings && current.pages === pages));
  const intact = current?.file !== damaged;
  if (current !== undefined && uploadVersion(current.version) === version) {
    // Where another text was taken from this upload since, it was stored before.
    const isRepetition = same || current.version !== version;
    if (isRepetition) {
      return intact ? { row: current, created: version === current.first_version, changed: true } : 'store';
    }
    const detail = `version: ${version} is the current one already, with another text`;
    throw new Problem({ status: 409, code: 'version_taken', detail });
  }
  if (if_match !== undefined && !isMatched(if_match, current)) {
    const detail =
      current === undefined
        ? `if_match: there is no document to match ${if_match}`
        : `if_match: the current version is ${current.version}, not ${if_match === '*' ? 'none' : if_match}`;
    throw new Problem({ status: 412, code: 'version_conflict', detail });
  }
  return same && intact ? { row: current, created: false, changed: false } : 'store';
}

/** Whether the same file was uploaded before, and its pictures were recognised since or wait for it. */
function isRecognising(current: DocumentRow, { original, warnings, again }: ReadUpload & WriteRequest): boolean {
  if (again === true || original === undefined || !pendingPages(warnings).isPending) return false;
  return current.original_sha256 === hashOf(original);
}

/** A text that was recognised since is no change of the document by anybody. */
function isMatched(ifMatch: string, current: DocumentRow | undefined): boolean {
  if (current === undefined) return ifMatch === '*';
  return ifMatch === current.version || ifMatch === uploadVersion(current.version);
}

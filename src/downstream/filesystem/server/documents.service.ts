import { Injectable, Logger } from '@nestjs/common';
import { InjectConfig } from '../../../config/config.module.js';
import type { Config } from '../../../config/config.schema.js';
import { badRequest, notFound, Problem } from '../../../http/problem.js';
import { analyseDocument } from '../../../text/analysed-document.js';
import { LexicalIndex, type ProjectKey } from '../../../text/lexical-index.js';
import { searchByWords } from '../../../text/results.js';
import { titleOf } from '../../../text/title.js';
import { pathFault } from '../../document-path.js';
import type { DocumentInfo } from '../filesystem.contract.js';
import { DamagedFile, DocumentFiles, hashOf, type StoredFile } from './document-files.js';
import { type DocumentRow, DocumentStore } from './document-store.js';
import { essenceOf, formatOf, READABLE_FORMATS, type DocumentFormat } from './media-type.js';
import { ProjectsService } from './projects.service.js';
import { TextExtractor, UnreadableDocument } from './text-extractor.js';

export interface PutRequest {
  version: string;
  media_type: string;
  text?: string | undefined;
  content_base64?: string | undefined;
  if_match?: string | undefined;
}

export interface PutAnswer extends DocumentInfo {
  created: boolean;
  changed: boolean;
}

@Injectable()
export class DocumentsService {
  private readonly log = new Logger('Documents');

  constructor(
    private readonly projects: ProjectsService,
    private readonly documents: DocumentStore,
    private readonly files: DocumentFiles,
    private readonly index: LexicalIndex,
    private readonly extractor: TextExtractor,
    @InjectConfig() private readonly config: Config,
  ) {}

  /** @throws Problem as the contract says */
  async put(key: ProjectKey, path: string, request: PutRequest): Promise<PutAnswer> {
    checkPath(path);
    this.projects.forWriting(key);
    const media_type = essenceOf(request.media_type);
    const { text, original } = await this.read(key, path, media_type, request);
    this.checkText(text);
    const content = Buffer.from(text);
    const wanted = { ...request, media_type, sha256: hashOf(content) };
    const decision = decide(this.documents.find(key, path), wanted);
    if (decision !== 'store') return answer(decision.row, decision.changed);

    const title = titleOf(path, text, media_type);
    const analysed = await analyseDocument({ path, title, text, mediaType: media_type });
    const written: StoredFile[] = [];
    let replaced: (string | null)[];
    let row: DocumentRow;
    let changed = true;
    try {
      const stored = await this.files.write(key, content);
      written.push(stored);
      const kept = original === undefined ? undefined : await this.files.write(key, original);
      if (kept !== undefined) written.push(kept);
      ({ row, changed, replaced } = this.documents.atomically(() => {
        this.projects.forWriting(key);
        const current = this.documents.find(key, path);
        const decision = decide(current, wanted);
        if (decision !== 'store') return { ...decision, replaced: written.map(({ file }) => file) };
        const row = {
          ...{ path, version: request.version, first_version: current?.first_version ?? request.version },
          ...{ title, media_type, bytes: content.length, updated_at: new Date().toISOString(), ...stored },
          ...{ original_file: kept?.file ?? null, original_sha256: kept?.sha256 ?? null },
        };
        return { row, changed: true, replaced: this.documents.put(key, row, analysed) };
      }));
    } catch (error) {
      await this.files.remove(
        key,
        written.map(({ file }) => file),
      );
      throw error;
    }
    await this.files.remove(key, replaced);
    return answer(row, changed);
  }

  async get(key: ProjectKey, path: string): Promise<DocumentInfo & { text: string }> {
    this.projects.forReading(key);
    const { row, content } = await this.load(key, path, (row) => row);
    return { ...infoOf(row), text: content.toString() };
  }

  async original(key: ProjectKey, path: string) {
    this.projects.forReading(key);
    checkPath(path);
    const unreadable = this.documents.findUnreadable(key, path);
    if (unreadable !== undefined) {
      const content = await this.contentOf(key, path, unreadable);
      return { path, media_type: unreadable.media_type, readable: false, content_base64: content.toString('base64') };
    }
    const { row, content } = await this.load(key, path, ({ original_file: file, original_sha256: sha256 }) =>
      file === null || sha256 === null ? undefined : { file, sha256 },
    );
    return { path, media_type: row.media_type, readable: true, content_base64: content.toString('base64') };
  }

  async delete(key: ProjectKey, path: string): Promise<boolean> {
    this.projects.forReading(key);
    checkPath(path);
    const { deleted, files } = this.documents.delete(key, path);
    await this.files.remove(key, files);
    return deleted;
  }

  list(key: ProjectKey, prefix: string, limit: number, offset: number) {
    this.projects.forReading(key);
    return this.documents.list(key, prefix, limit, offset);
  }

  async search(key: ProjectKey, query: string, limit: number, offset: number) {
    this.projects.forReading(key);
    const found = await searchByWords(this.index, key, query, { limit, offset });
    return { ...found, documents: this.documents.count(key) };
  }

  /** The text of a request, and the file it was taken from where that is not the text itself. */
  private async read(key: ProjectKey, path: string, media_type: string, { text, content_base64 }: PutRequest) {
    if ((text === undefined) === (content_base64 === undefined)) {
      throw badRequest('invalid_request', 'body: exactly one of text and content_base64 is needed');
    }
    const format = formatOf(media_type);
    if (format === undefined || (text !== undefined && (format === 'pdf' || format === 'docx'))) {
      throw unsupported(media_type, format);
    }
    if (text !== undefined) return { text };
    const content = Buffer.from(content_base64 as string, 'base64');
    try {
      const text = await this.extractor.textOf(content, format);
      return format === 'text' ? { text } : { text, original: content };
    } catch (error) {
      if (error instanceof UnreadableDocument) await this.keepUnreadable(key, path, media_type, content, error.message);
      throw error;
    }
  }

  /** A file that can't be read is kept all the same. @throws Problem 422 `unreadable_document` */
  private async keepUnreadable(key: ProjectKey, path: string, media_type: string, content: Buffer, reason: string) {
    const stored = await this.files.write(key, content);
    const replaced = this.documents.atomically(() => {
      this.projects.forWriting(key);
      const received_at = new Date().toISOString();
      return this.documents.putUnreadable(key, { path, media_type, reason, received_at, ...stored });
    });
    await this.files.remove(key, replaced);
    throw new Problem({
      status: 422,
      code: 'unreadable_document',
      detail: `No text can be taken from ${path}: ${reason}. The file itself is kept.`,
    });
  }

  private checkText(text: string): void {
    if (!text.isWellFormed()) {
      throw badRequest('invalid_text', 'text: it is not valid Unicode: half of a surrogate pair stands alone');
    }
    const bytes = Buffer.byteLength(text);
    const { max_body_bytes: max } = this.config.http;
    if (bytes > max) {
      throw new Problem({
        status: 413,
        code: 'too_large',
        detail: `text: ${bytes} bytes are too many; at most ${max} are taken`,
      });
    }
  }

  /** Reads what a row names; once more where the row was replaced, and its file removed, in between. */
  private async load(key: ProjectKey, path: string, fileOf: (row: DocumentRow) => StoredFile | undefined) {
    checkPath(path);
    for (let last: string | undefined; ;) {
      const row = this.documents.find(key, path);
      const stored = row === undefined ? undefined : fileOf(row);
      if (row === undefined || stored === undefined) throw notFound(`The document ${path}`);
      try {
        return { row, content: await this.files.read(key, stored) };
      } catch (error) {
        if (!(error instanceof DamagedFile)) throw error;
        if (stored.file === last) throw this.damaged(path, error);
        last = stored.file;
      }
    }
  }

  private async contentOf(key: ProjectKey, path: string, stored: StoredFile): Promise<Buffer> {
    try {
      return await this.files.read(key, stored);
    } catch (error) {
      throw error instanceof DamagedFile ? this.damaged(path, error) : error;
    }
  }

  /** A 4xx: one damaged file must not make the whole server look broken. */
  private damaged(path: string, error: DamagedFile): Problem {
    this.log.error(error.message);
    return new Problem({
      status: 409,
      code: 'document_damaged',
      detail: `The stored file of ${path} is missing or damaged; upload the document again or restore a version of it.`,
    });
  }
}

type Decision = 'store' | { row: DocumentRow; changed: boolean };

/** What a request means for the document as it is now. @throws Problem 409 `version_taken`, 412 `version_conflict` */
function decide(current: DocumentRow | undefined, wanted: PutRequest & { sha256: string }): Decision {
  const same = current?.sha256 === wanted.sha256 && current.media_type === wanted.media_type;
  if (current?.version === wanted.version) {
    if (same) return { row: current, changed: true };
    throw new Problem({
      status: 409,
      code: 'version_taken',
      detail: `version: ${wanted.version} is the current one already, with another text`,
    });
  }
  const { if_match } = wanted;
  if (if_match !== undefined && if_match !== (current === undefined ? '*' : current.version)) {
    throw new Problem({
      status: 412,
      code: 'version_conflict',
      detail:
        current === undefined
          ? `if_match: there is no document to match ${if_match}`
          : `if_match: the current version is ${current.version}, not ${if_match === '*' ? 'none' : if_match}`,
    });
  }
  return same ? { row: current, changed: false } : 'store';
}

function answer(row: DocumentRow, changed: boolean): PutAnswer {
  return { ...infoOf(row), changed, created: changed && row.version === row.first_version };
}

function infoOf({ path, version, title, media_type, bytes, updated_at }: DocumentRow): DocumentInfo {
  return { path, version, title, media_type, bytes, updated_at };
}

function checkPath(path: string): void {
  const fault = pathFault(path);
  if (fault !== undefined) throw badRequest('invalid_path', `path: ${fault}`);
}

function unsupported(mediaType: string, format: DocumentFormat | undefined): Problem {
  const detail =
    format === undefined
      ? `media_type: no text can be taken from "${mediaType}"; what can be read is ${READABLE_FORMATS}`
      : `media_type: a file of type "${mediaType}" is not text; send its bytes as content_base64`;
  return new Problem({ status: 415, code: 'unsupported_media_type', detail });
}

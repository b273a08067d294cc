import { Injectable } from '@nestjs/common';
import { Problem } from '../../../../http/problem.js';
import type { ProjectKey } from '../../../../text/lexical-index.js';
import { essenceOf, formatOf } from '../extraction/media-type.js';
import { TextExtractor, UnreadableDocument } from '../extraction/text-extractor.js';
import { DocumentFiles } from '../files/document-files.js';
import { ProjectsService } from '../projects/projects.service.js';
import { checkPath, readDocument } from './document-reading.js';
import { infoOf, originalOf } from './document-row.js';
import { DocumentStore } from './document-store.js';
import { DocumentWriter } from './document-writer.js';
import type { WriteRequest } from './write-decision.js';

/** A file as it was uploaded. */
interface Original {
  /** With the charset that the client declared. */
  mediaType: string;
  content: Buffer;
  /** Whether a text was extracted from it. */
  readable: boolean;
}

/** The uploaded files of documents. */
@Injectable()
export class OriginalsService {
  constructor(
    private readonly projects: ProjectsService,
    private readonly documents: DocumentStore,
    private readonly files: DocumentFiles,
    private readonly writer: DocumentWriter,
    private readonly extractor: TextExtractor,
  ) {}

  async get(key: ProjectKey, path: string) {
    const { mediaType, content, readable } = await this.read(key, path);
    return { path, media_type: mediaType, readable, content_base64: content.toString('base64') };
  }

  /** @throws Problem 409 `no_original` */
  async extract(key: ProjectKey, path: string, request: Pick<WriteRequest, 'version' | 'arrived_ms'>) {
    const { mediaType, content } = await this.read(key, path).catch(async (error: unknown) => {
      throw isNotFound(error) && (await this.documents.find(key, path)) !== undefined ? noOriginal(path) : error;
    });
    const upload = { media_type: mediaType, content_base64: content.toString('base64'), again: true };
    const { row, created, changed } = await this.writer.put(key, path, { ...request, ...upload });
    return { ...infoOf(row), created, changed };
  }

  async attachments(key: ProjectKey, path: string) {
    const { mediaType, content } = await this.read(key, path);
    const format = formatOf(essenceOf(mediaType));
    if (format === undefined || format === 'text' || format === 'picture') return [];
    const attached = await this.extractor.attachments(content, format, key.userId).catch((error: unknown) => {
      throw error instanceof UnreadableDocument ? unreadable(path, error) : error;
    });
    return attached.map(({ name, mediaType: type, content: bytes }) => {
      const content_base64 = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
      return { name, media_type: type, content_base64 };
    });
  }

  /**
   * The last uploaded file from which no text could be extracted.
   * @throws Problem 404 where the text itself was uploaded
   */
  private async read(key: ProjectKey, path: string): Promise<Original> {
    await this.projects.requireReadable(key);
    checkPath(path);
    return readDocument(path, async () => {
      const unreadable = await this.documents.findUnreadable(key, path);
      const document = await this.documents.find(key, path);
      const mediaType = unreadable?.media_type ?? document?.original_type ?? document?.media_type;
      const stored = unreadable ?? originalOf(document);
      if (mediaType === undefined || stored === undefined) return undefined;
      return { mediaType, content: await this.files.read(key, stored), readable: unreadable === undefined };
    });
  }
}

const isNotFound = (error: unknown) => error instanceof Problem && error.problem.status === 404;

function noOriginal(path: string): Problem {
  const detail = `${path} was uploaded as the text that it is; there is no other file to take a text from.`;
  return new Problem({ status: 409, code: 'no_original', detail });
}

function unreadable(path: string, { message }: UnreadableDocument): Problem {
  const detail = `No attachments can be taken from ${path}: ${message}.`;
  return new Problem({ status: 422, code: 'unreadable_document', detail });
}

import { Injectable, Logger } from '@nestjs/common';
import { badRequest, notFound, Problem } from '../../../../http/problem.js';
import { LexicalIndex, type ProjectKey } from '../../../../text/lexical-index.js';
import { type Asked, searchByWords } from '../../../../text/results.js';
import { pathFault } from '../../../../contract/document-path.js';
import type { DocumentInfo } from '../../filesystem.contract.js';
import { DamagedFile, DocumentFiles } from '../files/document-files.js';
import { DocumentStore, infoOf, originalOf } from './document-store.js';
import { DocumentWriter, type WriteRequest } from './document-writer.js';
import { ProjectsService } from '../projects/projects.service.js';

@Injectable()
export class DocumentsService {
  private readonly log = new Logger('Documents');

  constructor(
    private readonly projects: ProjectsService,
    private readonly documents: DocumentStore,
    private readonly files: DocumentFiles,
    private readonly writer: DocumentWriter,
    private readonly index: LexicalIndex,
  ) {}

  async put(key: ProjectKey, path: string, request: WriteRequest) {
    checkPath(path);
    const { row, created, changed } = await this.writer.put(key, path, request);
    return { ...infoOf(row), created, changed };
  }

  async get(key: ProjectKey, path: string): Promise<DocumentInfo & { text: string }> {
    this.projects.requireReadable(key);
    checkPath(path);
    return this.reading(path, async () => {
      const row = this.documents.find(key, path);
      return row && { ...infoOf(row), text: (await this.files.read(key, row)).toString() };
    });
  }

  /** The file as it was sent; the last one sent, where no text could be taken from it. */
  async original(key: ProjectKey, path: string) {
    this.projects.requireReadable(key);
    checkPath(path);
    return this.reading(path, async () => {
      const unreadable = this.documents.findUnreadable(key, path);
      const document = this.documents.find(key, path);
      const media_type = (unreadable ?? document)?.media_type;
      const stored = unreadable ?? originalOf(document);
      if (media_type === undefined || stored === undefined) return undefined;
      const content_base64 = (await this.files.read(key, stored)).toString('base64');
      return { path, media_type, readable: unreadable === undefined, content_base64 };
    });
  }

  async delete(key: ProjectKey, path: string, arrivedMs = Date.now()): Promise<boolean> {
    this.projects.requireReadable(key);
    checkPath(path);
    const { deleted, files } = this.documents.delete(key, path, arrivedMs);
    await this.files.remove(key, files);
    return deleted;
  }

  list(key: ProjectKey, prefix: string, limit: number, offset: number) {
    this.projects.requireReadable(key);
    return this.documents.list(key, prefix, limit, offset);
  }

  async search(key: ProjectKey, query: string, asked: Asked) {
    this.projects.requireReadable(key);
    const found = await searchByWords(this.index, key, query, asked);
    return { ...found, documents: this.documents.count(key) };
  }

  /** Looks a second time where a file is gone: the document may have been replaced between its row and its file. */
  private async reading<T>(path: string, look: () => Promise<T | undefined>): Promise<T> {
    let found: T | undefined;
    for (let attempt = 1; ; attempt++) {
      try {
        found = await look();
        break;
      } catch (error) {
        if (!(error instanceof DamagedFile)) throw error;
        if (attempt === 2) throw this.damaged(path, error);
      }
    }
    if (found === undefined) throw notFound(`There is no document ${JSON.stringify(path)}.`);
    return found;
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

function checkPath(path: string): void {
  const fault = pathFault(path);
  if (fault !== undefined) throw badRequest('invalid_path', `path: ${fault}`);
}

import { Injectable } from '@nestjs/common';
import { LexicalIndex, type ProjectKey } from '../../../../text/lexical-index.js';
import { type Asked, searchByWords } from '../../../../text/results.js';
import type { PageStart } from '../../../../contract/page.contract.js';
import type { DocumentInfo } from '../../filesystem.contract.js';
import { DocumentFiles } from '../files/document-files.js';
import { BackgroundRecognition } from './background-recognition.js';
import { checkPath, readDocument } from './document-reading.js';
import { DocumentStore, infoOf } from './document-store.js';
import { DocumentWriter, type WriteRequest } from './document-writer.js';
import { ProjectsService } from '../projects/projects.service.js';

@Injectable()
export class DocumentsService {
  constructor(
    private readonly projects: ProjectsService,
    private readonly documents: DocumentStore,
    private readonly files: DocumentFiles,
    private readonly writer: DocumentWriter,
    private readonly index: LexicalIndex,
    private readonly recognition: BackgroundRecognition,
  ) {}

  async put(key: ProjectKey, path: string, request: WriteRequest) {
    checkPath(path);
    const { row, created, changed } = await this.writer.put(key, path, request);
    return { ...infoOf(row), created, changed };
  }

  async get(key: ProjectKey, path: string): Promise<DocumentInfo & { text: string; pages?: PageStart[] }> {
    this.projects.requireReadable(key);
    checkPath(path);
    return readDocument(path, async () => {
      const row = this.documents.find(key, path);
      if (row === undefined) return undefined;
      const document = {
        ...this.recognition.withProgress(key, infoOf(row)),
        text: (await this.files.read(key, row)).toString(),
      };
      return row.pages === null ? document : { ...document, pages: JSON.parse(row.pages) as PageStart[] };
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
    const { documents, total } = this.documents.list(key, prefix, limit, offset);
    return { documents: documents.map((info) => this.recognition.withProgress(key, info)), total };
  }

  async search(key: ProjectKey, query: string, asked: Asked) {
    this.projects.requireReadable(key);
    const found = await searchByWords(this.index, key, query, asked);
    return { ...found, documents: this.documents.count(key) };
  }
}

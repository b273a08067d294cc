import { setImmediate as nextTurn } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { InjectConfig } from '../../../../config/config.module.js';
import type { Config } from '../../../../config/config.schema.js';
import { notFound, Problem } from '../../../../http/problem.js';
import type { ProjectKey } from '../../../../text/lexical-index.js';
import { type Asked, searchByWords } from '../../../../text/results.js';
import { pathFault } from '../../../../contract/document-path.js';
import type { PageStart } from '../../../../contract/page.contract.js';
import type { DocumentInfo } from '../../filesystem.contract.js';
import { FullText } from '../full-text/full-text.js';
import { DocumentFiles } from '../files/document-files.js';
import { BackgroundRecognition } from './background-recognition.js';
import { badPath, checkPath, readDocument } from './document-reading.js';
import { infoOf } from './document-row.js';
import { DocumentStore, type TagChange } from './document-store.js';
import { type Refused, refusedAt } from './refusal.js';
import { DocumentBatchWriter, type PathRequest } from './document-batch-writer.js';
import { DocumentWriter } from './document-writer.js';
import { RecentTexts } from './recent-texts.js';
import { tagsAsJson, type WriteRequest } from './write-decision.js';
import { ProjectsService } from '../projects/projects.service.js';
import { trashKeptMs, trashOff } from './trash-settings.js';

/** How many documents are deleted in one transaction: few enough that other requests do not wait long. */
const DELETED_TOGETHER = 25;
/** Of the texts of one call. */
const MAX_READ_CHARS = 1_000_000;

@Injectable()
export class DocumentsService {
  constructor(
    private readonly projects: ProjectsService,
    private readonly documents: DocumentStore,
    private readonly files: DocumentFiles,
    private readonly recent: RecentTexts,
    private readonly writer: DocumentWriter,
    private readonly batches: DocumentBatchWriter,
    private readonly fullText: FullText,
    private readonly recognition: BackgroundRecognition,
    @InjectConfig() private readonly config: Config,
  ) {}

  async put(key: ProjectKey, path: string, request: WriteRequest) {
    checkPath(path);
    const { row, created, changed } = await this.writer.put(key, path, request);
    return { ...infoOf(row), created, changed };
  }

  async get(key: ProjectKey, path: string): Promise<DocumentInfo & { text: string; pages?: PageStart[] }> {
    await this.projects.requireReadable(key);
    return this.read(key, path);
  }

  /** @param recent returns the text of a file where the file need not be read */
  private read(key: ProjectKey, path: string, recent: (file: string) => string | undefined = () => undefined) {
    checkPath(path);
    return readDocument<DocumentInfo & { text: string; pages?: PageStart[] }>(path, async () => {
      const row = await this.documents.find(key, path);
      if (row === undefined) return undefined;
      const document = {
        ...this.recognition.withProgress(key, infoOf(row)),
        text: recent(row.file) ?? (await this.files.read(key, row)).toString(),
      };
      return row.pages === null ? document : { ...document, pages: JSON.parse(row.pages) as PageStart[] };
    });
  }

  async putAll(key: ProjectKey, requests: readonly PathRequest[]) {
    const answers = await this.batches.put(key, requests);
    return answers.map((answer, i) => {
      if ('refused' in answer) return refusedAt((requests[i] as PathRequest).path, answer.refused);
      const { row, created, changed } = answer;
      return { ...infoOf(row), created, changed };
    });
  }

  /** For the index: the beginning of the list, as far as {@link MAX_READ_CHARS} reaches. */
  async readAll(key: ProjectKey, paths: readonly string[]) {
    await this.projects.requireReadable(key);
    const documents: (Awaited<ReturnType<DocumentsService['get']>> | ReturnType<typeof refusedAt>)[] = [];
    let chars = 0;
    for (const path of paths) {
      const read = await this.read(key, path, (file) => this.recent.take(file)).catch((error: unknown) => {
        if (error instanceof Problem) return refusedAt(path, error.problem);
        throw error;
      });
      chars += 'text' in read ? read.text.length : 0;
      if (chars > MAX_READ_CHARS && documents.length > 0) break;
      documents.push(read);
    }
    return documents;
  }

  /** @throws Problem 404 */
  async setTags(key: ProjectKey, path: string, tags: readonly string[]): Promise<DocumentInfo> {
    await this.projects.requireReadable(key);
    checkPath(path);
    const [row] = await this.documents.setTags(key, [{ path, tags: tagsAsJson(tags) }]);
    if (row === undefined) throw notHere(path);
    return infoOf(row);
  }

  async setTagsOfAll(key: ProjectKey, documents: readonly { path: string; tags: readonly string[] }[]) {
    await this.projects.requireReadable(key);
    return forAllowedPaths(documents, async (allowed) => {
      const changes = allowed.map(({ path, tags }) => ({ path, tags: tagsAsJson(tags) }));
      const rows = await this.documents.setTags(key, changes);
      return rows.map((row, i) => {
        const { path } = changes[i] as TagChange;
        return row === undefined ? refusedAt(path, notHere(path).problem) : infoOf(row);
      });
    });
  }

  /** @throws Problem 422 `trash_off` */
  async delete(key: ProjectKey, path: string, arrivedMs = Date.now(), toTrash = false): Promise<boolean> {
    await this.projects.requireReadable(key);
    checkPath(path);
    const { deleted, files } = await this.documents.delete(key, path, arrivedMs, this.trashedAt(toTrash));
    await this.files.remove(key, files);
    return deleted;
  }

  /** @throws Problem 422 `trash_off` */
  async deleteAll(key: ProjectKey, paths: readonly string[], arrivedMs = Date.now(), toTrash = false) {
    await this.projects.requireReadable(key);
    const trashedAt = this.trashedAt(toTrash);
    const documents = paths.map((path) => ({ path }));
    return forAllowedPaths(documents, async (allowed) => {
      const answers: { path: string; deleted: boolean }[] = [];
      for (let at = 0; at < allowed.length; at += DELETED_TOGETHER) {
        const some = allowed.slice(at, at + DELETED_TOGETHER).map(({ path }) => path);
        const removed = await this.documents.deleteAll(key, some, arrivedMs, trashedAt);
        await this.files.remove(
          key,
          removed.flatMap(({ files }) => files),
        );
        answers.push(...removed.map(({ deleted }, i) => ({ path: some[i] as string, deleted })));
        // Other requests are answered in between.
        await nextTurn();
      }
      return answers;
    });
  }

  /** @throws Problem 422 `trash_off` */
  private trashedAt(toTrash: boolean): string | undefined {
    if (!toTrash) return undefined;
    if (trashKeptMs(this.config) === 0) throw trashOff('without it the document is deleted for good');
    return new Date().toISOString();
  }

  async list(key: ProjectKey, prefix: string, limit: number, offset: number) {
    await this.projects.requireReadable(key);
    const { documents, total } = await this.documents.list(key, prefix, limit, offset);
    return { documents: documents.map((info) => this.recognition.withProgress(key, info)), total };
  }

  inventory(after: string | undefined, limit: number) {
    return this.documents.inventory(after, limit);
  }

  async search(key: ProjectKey, query: string, asked: Asked) {
    await this.projects.requireReadable(key);
    const { index, behind } = await this.fullText.current(key);
    const found = await searchByWords(index, key, query, asked);
    const documents = await this.documents.count(key);
    if (behind === undefined) return { ...found, documents };
    const existing = await behind.existing(found.results.map(({ document }) => document));
    const results = found.results.filter(({ document }) => existing.has(document));
    const total = found.total - (found.results.length - results.length);
    return { ...found, results, total, documents, not_indexed: behind.documents };
  }
}

const notHere = (path: string) => notFound(`path: there is no document ${JSON.stringify(path)} in this project.`);

/** @returns the answers of `work` in the order of `documents`, and a refusal for each path that is not allowed */
async function forAllowedPaths<D extends { path: string }, A>(
  documents: readonly D[],
  work: (allowed: readonly D[]) => Promise<A[]>,
): Promise<(A | Refused)[]> {
  const faults = documents.map(({ path }) => pathFault(path));
  const allowed = documents.filter((_, i) => faults[i] === undefined);
  const answers = (allowed.length === 0 ? [] : await work(allowed)).values();
  return documents.map(({ path }, i) => {
    const fault = faults[i];
    return fault === undefined ? (answers.next().value as A) : refusedAt(path, badPath(fault).problem);
  });
}

import { Injectable, Logger } from '@nestjs/common';
import { Problem, type ProblemDetails } from '../../../../http/problem.js';
import { StorageUnavailable } from '../../../../storage/storage-errors.js';
import { analyseDocument } from '../../../../text/analysed-document.js';
import type { ProjectKey } from '../../../../text/lexical-index.js';
import { titleOf } from '../../../../text/title.js';
import { DocumentFiles, type StoredFile } from '../files/document-files.js';
import { requireThere } from '../projects/project-state.js';
import { ProjectsService } from '../projects/projects.service.js';
import { checkPath } from './document-reading.js';
import { DocumentStore, type PathChange } from './document-store.js';
import { type ReadUpload, UploadReader } from './document-upload.js';
import { DocumentWriter, LARGE_CHARS } from './document-writer.js';
import { RecentTexts } from './recent-texts.js';
import { refusal } from './refusal.js';
import { decision, refuseSuperseded, rowOf, type WriteRequest, type Written } from './write-decision.js';

export interface PathRequest extends WriteRequest {
  path: string;
}

/** The answer for one document of several. */
export type Put = Written | { refused: ProblemDetails };

type Read = PathRequest & ReadUpload;

/**
 * Stores the texts of several documents with one flush of the folder and one transaction, because the disk's answer
 * costs the same for one document and for many. What needs more than that is stored document by document.
 */
@Injectable()
export class DocumentBatchWriter {
  private readonly log = new Logger('Documents');

  constructor(
    private readonly projects: ProjectsService,
    private readonly documents: DocumentStore,
    private readonly files: DocumentFiles,
    private readonly recent: RecentTexts,
    private readonly uploads: UploadReader,
    private readonly writer: DocumentWriter,
  ) {}

  /**
   * @param requests no two of one path
   * @returns the answers in their order
   * @throws what is no fault of one document: Problem 404, 410 `deleted`; StorageUnavailable
   */
  async put(key: ProjectKey, requests: readonly PathRequest[]): Promise<Put[]> {
    await this.projects.requireWritable(key);
    const answers = new Map<string, Put>();
    const fresh: Read[] = [];
    for (const request of requests) {
      const read = await this.readFresh(key, request).catch((error: unknown) => ({ refused: refusal(error) }));
      if (read !== undefined && 'refused' in read) answers.set(request.path, read);
      else if (read !== undefined) fresh.push(read);
    }
    for (const [path, answer] of await this.putFresh(key, fresh)) answers.set(path, answer);
    const all: Put[] = [];
    for (const request of requests) all.push(answers.get(request.path) ?? (await this.putAlone(key, request)));
    return all;
  }

  /** Undefined: to be stored alone, because it is large or the text is the stored one, whose file may be damaged. */
  private async readFresh(key: ProjectKey, request: PathRequest): Promise<Read | undefined> {
    checkPath(request.path);
    if ((request.text?.length ?? 0) > LARGE_CHARS) return undefined;
    const upload = await this.uploads.read(request, key.userId);
    const { document } = await this.documents.state(key, request.path);
    return document?.sha256 === upload.sha256 ? undefined : { ...request, ...upload };
  }

  /** @returns the answers by path; none where one of them was refused, or another process stored one meanwhile */
  private async putFresh(key: ProjectKey, requests: readonly Read[]): Promise<Map<string, Written>> {
    if (requests.length === 0) return new Map();
    const written = await this.files.writeAll(
      key,
      requests.map(({ content }) => content),
    );
    let unneeded: (string | null)[] = written.map(({ file }) => file);
    try {
      const changes: PathChange<Written>[] = [];
      for (const [i, request] of requests.entries()) {
        changes.push(await this.change(key, request, written[i] as StoredFile));
      }
      const changed = await this.documents.changeAll(key, changes);
      unneeded = changed.flatMap((one) => one.unneeded);
      for (const [i, { file }] of written.entries()) this.recent.keep(file, (requests[i] as Read).text);
      return new Map(changed.map(({ result }) => [result.row.path, result]));
    } catch (error) {
      // The connection may have been lost during the commit: then rows may name these files. If not, the sweep removes them.
      if (error instanceof StorageUnavailable) unneeded = [];
      if (error instanceof Problem) return new Map();
      throw error;
    } finally {
      await this.files
        .remove(key, unneeded)
        .catch((error: Error) =>
          this.log.warn(`a file that is not needed stays until the next sweep: ${error.message}`),
        );
    }
  }

  private async change(key: ProjectKey, request: Read, stored: StoredFile): Promise<PathChange<Written>> {
    const { path, text, media_type: mediaType } = request;
    const title = titleOf(path, text, mediaType);
    const analysed = await analyseDocument({ path, title, text, mediaType });
    return {
      path,
      decide: (state) => {
        requireThere(key.projectId, state.project);
        refuseSuperseded(state, path, request);
        if (decision(state.document, request, undefined) !== 'store') throw storedMeanwhile(path);
        const row = rowOf(state.document, path, title, request, stored);
        return {
          result: { row, created: row.version === row.first_version, changed: true },
          document: { row, analysed },
        };
      },
    };
  }

  private async putAlone(key: ProjectKey, { path, ...request }: PathRequest): Promise<Put> {
    return this.writer.put(key, path, request).catch((error: unknown) => ({ refused: refusal(error) }));
  }
}

/** It makes the documents of a call be stored one by one. */
const storedMeanwhile = (path: string) =>
  new Problem({ status: 409, code: 'superseded', detail: `${path} was stored meanwhile` });

import { Injectable, Logger } from '@nestjs/common';
import { pathFault } from '../../../../contract/document-path.js';
import { uploadVersion } from '../../../../contract/extraction-version.js';
import { badRequest, notFound, Problem } from '../../../../http/problem.js';
import { StorageUnavailable } from '../../../../storage/storage-errors.js';
import { analyseDocument } from '../../../../text/analysed-document.js';
import type { ProjectKey } from '../../../../text/lexical-index.js';
import { titleOf } from '../../../../text/title.js';
import type { PageStart } from '../../../../contract/page.contract.js';
import { MAX_MOVED_DOCUMENTS } from '../../filesystem.contract.js';
import { DocumentFiles } from '../files/document-files.js';
import { ProjectsService } from '../projects/projects.service.js';
import { pendingPages } from '../extraction/recognition/recognised-text.js';
import { BackgroundRecognition } from './background-recognition.js';
import { readDocument } from './document-reading.js';
import { type DocumentRow, infoOf, originalOf } from './document-row.js';
import { ChangedMeanwhile, DocumentStore, type Move } from './document-store.js';

export interface MoveRequest {
  /** A document, or a folder where it ends with `/`. */
  from: string;
  to: string;
  version: string;
  copy: boolean;
  arrived_ms?: number | undefined;
}

export interface Moved {
  from: string;
  to: string;
  version: string;
  from_version?: string;
}

/** Of the texts of a folder: they are analysed in memory. A single document may be larger. */
const MAX_FOLDER_BYTES = 32 * 1024 * 1024;
/** How often a move begins anew because a document was changed meanwhile. */
const MAX_TRIES = 5;

/** Moves and copies documents and folders. A copy has files of its own; a moved document keeps its files. */
@Injectable()
export class DocumentMover {
  private readonly log = new Logger('Documents');

  constructor(
    private readonly projects: ProjectsService,
    private readonly documents: DocumentStore,
    private readonly files: DocumentFiles,
    private readonly recognition: BackgroundRecognition,
  ) {}

  /** @throws the problems that the contract names */
  async move(key: ProjectKey, request: MoveRequest): Promise<Moved[]> {
    checkPaths(request);
    await this.projects.requireWritable(key);
    const before = await this.repeated(key, request);
    if (before !== undefined) return before;
    for (let left = MAX_TRIES; ; left--) {
      try {
        return await this.tryMove(key, request);
      } catch (error) {
        if (!(error instanceof ChangedMeanwhile)) throw error;
        if (left === 0) throw new Problem({ status: 409, code: 'superseded', detail: `from: ${error.message}` });
      }
    }
  }

  /** The answer where an earlier call with this version did the work. */
  private async repeated(key: ProjectKey, request: MoveRequest): Promise<Moved[] | undefined> {
    const { from, to, version } = request;
    const rows = await this.sources(key, to);
    const done = rows.filter((row) => uploadVersion(row.version) === version);
    if (done.length === 0) return undefined;
    return done.map(({ path }) => ({ from: from + path.slice(to.length), to: path, version }));
  }

  private async sources(key: ProjectKey, path: string): Promise<DocumentRow[]> {
    if (path.endsWith('/')) return this.documents.below(key, path, MAX_MOVED_DOCUMENTS + 1);
    const row = await this.documents.find(key, path);
    return row === undefined ? [] : [row];
  }

  private async tryMove(key: ProjectKey, request: MoveRequest): Promise<Moved[]> {
    const { from, copy } = request;
    const rows = await this.sources(key, from);
    checkSources(from, rows);
    const written: string[] = [];
    let unneeded: (string | null)[] | undefined;
    try {
      const moves: Move[] = [];
      for (const row of rows) moves.push(await this.prepare(key, row, request, written));
      unneeded = await this.documents.move(key, moves, copy);
      for (const { row } of moves) if (waits(row)) this.recognition.waits(key, row);
      return moves.map(({ before, row }) => ({
        ...{ from: before.path, to: row.path, version: row.version, from_version: before.version },
      }));
    } catch (error) {
      // The connection may have been lost during the commit: then rows may name the copies. If not, the sweep removes them.
      if (error instanceof StorageUnavailable) unneeded = [];
      throw error;
    } finally {
      await this.files
        .remove(key, unneeded ?? written)
        .catch((error: Error) =>
          this.log.warn(`a file that is not needed stays until the next sweep: ${error.message}`),
        );
    }
  }

  /** @param written gets the names of new files */
  private async prepare(key: ProjectKey, before: DocumentRow, request: MoveRequest, written: string[]): Promise<Move> {
    const { from, to, version, copy, arrived_ms = Date.now() } = request;
    const path = to + before.path.slice(from.length);
    checkTarget(path);
    const content = await readDocument(before.path, () => this.read(key, before));
    const text = content.toString();
    const { media_type, pages } = before;
    const title = titleOf(path, text, media_type);
    const starts = pages === null ? [] : (JSON.parse(pages) as PageStart[]);
    const analysed = await analyseDocument({ path, title, text, mediaType: media_type, pages: starts });
    const row = { ...before, path, title, version, arrived_ms };
    return { before, row: copy ? await this.copied(key, row, content, written) : row, analysed };
  }

  /** @throws ChangedMeanwhile where the file belongs to a row that was replaced */
  private async read(key: ProjectKey, row: DocumentRow): Promise<Buffer> {
    try {
      return await this.files.read(key, row);
    } catch (error) {
      const now = await this.documents.find(key, row.path);
      if (now?.file !== row.file) throw new ChangedMeanwhile(`${row.path} was changed meanwhile`);
      throw error;
    }
  }

  private async copied(key: ProjectKey, row: DocumentRow, content: Buffer, written: string[]): Promise<DocumentRow> {
    const write = async (bytes: Buffer) => {
      const { file } = await this.files.write(key, bytes);
      written.push(file);
      return file;
    };
    const original = originalOf(row);
    return {
      ...{ ...row, first_version: row.version, updated_at: new Date().toISOString(), file: await write(content) },
      original_file: original === undefined ? null : await write(await this.files.read(key, original)),
    };
  }
}

const waits = (row: DocumentRow) => pendingPages(infoOf(row).warnings ?? []).isPending;

/** @throws Problem 400 `invalid_path`, 422 `move_into_itself` */
function checkPaths({ from, to, copy }: MoveRequest): void {
  const isFolder = from.endsWith('/');
  if (isFolder !== to.endsWith('/')) {
    const detail = isFolder
      ? 'from is a folder, so it must end with /'
      : 'from is a document, so it must not end with /';
    throw badRequest('invalid_path', `to: ${detail}`);
  }
  for (const [name, path] of Object.entries({ from, to })) {
    const fault = pathFault(isFolder ? path.slice(0, -1) : path);
    if (fault !== undefined)
      throw badRequest('invalid_path', `${name}: ${JSON.stringify(path.slice(0, 300))}: ${fault}`);
  }
  if (from !== to && !(isFolder && to.startsWith(from))) return;
  const what = copy ? 'copied' : 'moved';
  throw new Problem({
    status: 422,
    code: 'move_into_itself',
    detail: `to: ${JSON.stringify(from)} can not be ${what} to ${JSON.stringify(to)}, which is ${from === to ? 'the same path' : 'inside of it'}`,
  });
}

function checkTarget(path: string): void {
  const fault = pathFault(path);
  if (fault !== undefined) throw badRequest('invalid_path', `to: ${JSON.stringify(path.slice(0, 300))}: ${fault}`);
}

/** @throws Problem 404, 413 `too_many_documents`, `too_large` */
function checkSources(from: string, rows: readonly DocumentRow[]): void {
  if (rows.length === 0) {
    const what = from.endsWith('/') ? 'no document in the folder' : 'no document';
    throw notFound(`from: there is ${what} ${JSON.stringify(from)} in this project.`);
  }
  if (rows.length > MAX_MOVED_DOCUMENTS) {
    const detail = `from: the folder ${JSON.stringify(from)} has more than ${MAX_MOVED_DOCUMENTS} documents, the most of one call; move the folders in it one by one`;
    throw new Problem({ status: 413, code: 'too_many_documents', detail });
  }
  const bytes = rows.reduce((sum, row) => sum + row.bytes, 0);
  if (rows.length > 1 && bytes > MAX_FOLDER_BYTES) {
    const detail = `from: the texts in the folder ${JSON.stringify(from)} have ${bytes} bytes; ${MAX_FOLDER_BYTES} are the most of one call; move the folders in it one by one`;
    throw new Problem({ status: 413, code: 'too_large', detail });
  }
}

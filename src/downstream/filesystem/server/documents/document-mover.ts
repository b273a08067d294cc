import { setImmediate as nextTurn } from 'node:timers/promises';
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
import { type Refused, refusal, refusedAt } from './refusal.js';

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

/** A document that is to be moved, and the move that it is a part of. */
interface Source {
  row: DocumentRow;
  request: MoveRequest;
}

/** Of the texts of a folder: they are analysed in memory. A single document may be larger. */
const MAX_FOLDER_BYTES = 32 * 1024 * 1024;
/** How many single documents are moved in one transaction: few enough that other requests do not wait long. */
const MOVED_TOGETHER = 25;
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
    return (await this.repeated(key, request)) ?? this.moveNow(key, request);
  }

  /** @throws the problems that the contract names */
  private async moveNow(key: ProjectKey, request: MoveRequest): Promise<Moved[]> {
    for (let left = MAX_TRIES; ; left--) {
      try {
        return await this.tryMove(key, request);
      } catch (error) {
        if (!(error instanceof ChangedMeanwhile)) throw error;
        if (left === 0) throw new Problem({ status: 409, code: 'superseded', detail: `from: ${error.message}` });
      }
    }
  }

  /**
   * {@link move} of several single documents. One that can not be moved does not stop the others.
   * @returns the answers in the order of `moves`
   */
  async moveEach(
    key: ProjectKey,
    moves: readonly { from: string; to: string }[],
    { version, arrived_ms }: Pick<MoveRequest, 'version' | 'arrived_ms'>,
  ): Promise<(Moved | Refused)[]> {
    await this.projects.requireWritable(key);
    const requests = moves.map((paths) => ({ ...paths, version, arrived_ms, copy: false }));
    const answers = new Map<MoveRequest, Moved | Refused>(await this.repeatedEach(key, requests));
    const left = requests.filter((request) => !answers.has(request));
    for (let at = 0; at < left.length; at += MOVED_TOGETHER) {
      const some = left.slice(at, at + MOVED_TOGETHER);
      const together = await this.moveTogether(key, some);
      for (const request of some) answers.set(request, together.get(request) ?? (await this.moveOne(key, request)));
      // Other requests are answered in between.
      await nextTurn();
    }
    return requests.map((request) => answers.get(request) as Moved | Refused);
  }

  /**
   * The answers of those that an earlier call with this version moved. Must be known before this call moves any: another one
   * of them can have the same target.
   */
  private async repeatedEach(key: ProjectKey, requests: readonly MoveRequest[]): Promise<Map<MoveRequest, Moved>> {
    const done = new Map<MoveRequest, Moved>();
    const targets = new Set<string>();
    for (const request of requests) {
      const { to } = request;
      const [moved] = to.endsWith('/') || targets.has(to) ? [] : ((await this.repeated(key, request)) ?? []);
      if (moved === undefined) continue;
      targets.add(to);
      done.set(request, moved);
    }
    return done;
  }

  /** @returns the answers of those that were moved in one transaction; the others have to be moved one by one */
  private async moveTogether(key: ProjectKey, requests: readonly MoveRequest[]): Promise<Map<MoveRequest, Moved>> {
    const sources: Source[] = [];
    for (const request of requests) {
      const { from, to } = request;
      if (sources.some((other) => other.row.path === from || other.request.to === to)) continue;
      const row = await this.documents.find(key, from);
      const isFree = (await this.documents.find(key, to)) === undefined && pathFault(to) === undefined;
      if (row !== undefined && isFree) sources.push({ row, request });
    }
    if (sources.reduce((bytes, { row }) => bytes + row.bytes, 0) > MAX_FOLDER_BYTES) return new Map();
    try {
      const moved = await this.store(key, sources, false);
      return new Map(moved.map((one, i) => [(sources[i] as Source).request, one]));
    } catch (error) {
      if (error instanceof ChangedMeanwhile || error instanceof Problem) return new Map();
      throw error;
    }
  }

  private async moveOne(key: ProjectKey, request: MoveRequest): Promise<Moved | Refused> {
    const { from } = request;
    try {
      if (from.endsWith('/'))
        throw badRequest('invalid_path', `from: ${JSON.stringify(from)} is a folder; name its documents`);
      checkPaths(request);
      const [moved] = await this.moveNow(key, request);
      return moved as Moved;
    } catch (error) {
      return refusedAt(from, refusal(error));
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
    return this.store(
      key,
      rows.map((row) => ({ row, request })),
      copy,
    );
  }

  /** All or none. @throws ChangedMeanwhile and the problems that the contract names */
  private async store(key: ProjectKey, sources: readonly Source[], copy: boolean): Promise<Moved[]> {
    const written: string[] = [];
    let unneeded: (string | null)[] | undefined;
    try {
      const moves: Move[] = [];
      for (const { row, request } of sources) moves.push(await this.prepare(key, row, request, written));
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

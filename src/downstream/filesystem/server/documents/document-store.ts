import type { Inventory } from '../../../../contract/inventory.contract.js';
import type { AnalysedDocument } from '../../../../text/analysed-document.js';
import type { ProjectKey } from '../../../../text/lexical-index.js';
import type { DocumentInfo } from '../../filesystem.contract.js';
import type { StoredFile } from '../files/document-files.js';
import type { ProjectState } from '../projects/project-state.js';
import type { DocumentRow, TrashRow, UnreadableRow } from './document-row.js';

/** What a change of a path depends on. */
export interface PathState {
  project: ProjectState;
  document: DocumentRow | undefined;
  /** When the newest deletion arrived, in ms since 1970; undefined where nothing was deleted. */
  removedMs: number | undefined;
}

/** What is stored of a change; nothing where neither is given. */
export interface Decision<T> {
  result: T;
  /** `fromTrash`: the row of the trash that it replaces. */
  document?: { row: DocumentRow; analysed: AnalysedDocument; fromTrash?: TrashRow };
  unreadable?: UnreadableRow;
}

export interface PathChange<T> {
  path: string;
  decide: (state: PathState) => Decision<T>;
}

export interface Changed<T> {
  result: T;
  stored: boolean;
  /** The names of the files that no row names any longer. */
  unneeded: (string | null)[];
}

/** `deleted` is false where the document never existed; `files` are those that no row names any longer. */
export interface Deleted {
  deleted: boolean;
  files: (string | null)[];
}

export interface TagChange {
  path: string;
  /** As JSON; null for none. */
  tags: string | null;
}

/** A document under its new path, ready to be stored. */
export interface Move {
  before: DocumentRow;
  row: DocumentRow;
  analysed: AnalysedDocument;
}

/** A document was changed after it had been read for a move or a restoration. */
export class ChangedMeanwhile extends Error {}

/** All documents in the trash of a project, those of one path, or one of them. */
export interface TrashedWhich {
  path?: string | undefined;
  version?: string | undefined;
}

export interface OwnedRow {
  key: ProjectKey;
  row: DocumentRow;
}

/** The code of the warning of such a document. */
export const WAITING = `warnings LIKE '%"ocr_pending"%'`;

/** A document with the project it belongs to and the name of a file with its content. */
export interface NamedFile extends StoredFile {
  key: ProjectKey;
}

/** Documents and their full-text index, changed together. */
export abstract class DocumentStore {
  abstract find(key: ProjectKey, path: string): Promise<DocumentRow | undefined>;

  abstract findUnreadable(key: ProjectKey, path: string): Promise<UnreadableRow | undefined>;

  abstract state(key: ProjectKey, path: string): Promise<PathState>;

  /**
   * Stores what `decide` makes of the current state, in one transaction. `decide` may be called again where the
   * transaction is repeated. What it throws ends the transaction without a change.
   * @throws ChangedMeanwhile where `fromTrash` is not in the trash any more; Problem 507 `quota_exceeded`;
   * StorageUnavailable, after which the change may have been stored
   */
  async change<T>(key: ProjectKey, path: string, decide: (state: PathState) => Decision<T>): Promise<Changed<T>> {
    const [changed] = await this.changeAll(key, [{ path, decide }]);
    return changed as Changed<T>;
  }

  /** {@link change} for several paths in their order, all or none. */
  abstract changeAll<T>(key: ProjectKey, changes: readonly PathChange<T>[]): Promise<Changed<T>[]>;

  /** @param trashedAt when the document was put into the trash; without it, it is gone */
  async delete(key: ProjectKey, path: string, arrivedMs: number, trashedAt?: string): Promise<Deleted> {
    const [deleted] = await this.deleteAll(key, [path], arrivedMs, trashedAt);
    return deleted as Deleted;
  }

  /** {@link delete} for several paths, all or none. */
  abstract deleteAll(
    key: ProjectKey,
    paths: readonly string[],
    arrivedMs: number,
    trashedAt?: string,
  ): Promise<Deleted[]>;

  /** @returns the rows in the order of `changes`; undefined where there is no such document */
  abstract setTags(key: ProjectKey, changes: readonly TagChange[]): Promise<(DocumentRow | undefined)[]>;

  /** Those deleted last first. */
  abstract trash(key: ProjectKey, limit: number, offset: number): Promise<{ rows: TrashRow[]; total: number }>;

  /** Of several with one path the one deleted last. */
  abstract findTrashed(key: ProjectKey, path: string, version?: string): Promise<TrashRow | undefined>;

  /**
   * @returns false where the trash has this version of the document
   * @throws Problem 404, 410 `deleted`, 507 `quota_exceeded`
   */
  abstract addTrashed(key: ProjectKey, row: TrashRow): Promise<boolean>;

  /** @returns the removed rows; a row that two of `which` name is in it once */
  abstract removeTrashed(key: ProjectKey, which: readonly TrashedWhich[]): Promise<TrashRow[]>;

  /** Removes those of all users that were deleted before this time. */
  abstract expireTrash(before: string): Promise<OwnedRow[]>;

  /**
   * Stores documents under their new paths, all or none, and removes those under the old ones unless it is a copy. A
   * target may be the old path of another one of them.
   * @returns the names of the files that no row names any longer
   * @throws ChangedMeanwhile; Problem 409 `path_taken`, 404, 410 `deleted`, 507 `quota_exceeded`
   */
  abstract move(key: ProjectKey, moves: readonly Move[], isCopy: boolean): Promise<(string | null)[]>;

  /** The documents whose paths begin so, by path. */
  abstract below(key: ProjectKey, prefix: string, limit: number): Promise<DocumentRow[]>;

  /** By path, in the order of its bytes. */
  abstract list(
    key: ProjectKey,
    prefix: string,
    limit: number,
    offset: number,
  ): Promise<{ documents: DocumentInfo[]; total: number }>;

  abstract count(key: ProjectKey): Promise<number>;

  /** The documents of all users (or of one project) of which pictures wait for their recognition. */
  abstract waitingForRecognition(project?: ProjectKey): Promise<OwnedRow[]>;

  /** The documents of each project of all users as a digest. @param after the `next` of the page before */
  abstract inventory(after: string | undefined, limit: number): Promise<Inventory>;

  /** Every file that a row names, of all users, for the cleanup. */
  abstract files(): AsyncIterable<NamedFile>;
}

/** The version after a later change (null: a deletion); undefined where no change arrived after `arrivedMs`. */
export function changedSince(
  { document, removedMs }: PathState,
  arrivedMs: number,
): { version: string | null } | undefined {
  if (document !== undefined) return isLater(document.arrived_ms, arrivedMs) ? document : undefined;
  return removedMs !== undefined && isLater(removedMs, arrivedMs) ? { version: null } : undefined;
}

/** No change is in progress for longer. Where the times differ by more, a clock was set back. */
const MAX_UNDER_WAY_MS = 300_000;

export function isLater(arrivedMs: number, thanMs: number): boolean {
  return arrivedMs > thanMs && arrivedMs - thanMs < MAX_UNDER_WAY_MS;
}

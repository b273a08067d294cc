import { badRequest, Problem } from '../../../http/problem.js';

export interface ArchiveLimits {
  max_files: number;
  max_bytes: number;
  max_ratio: number;
}

/** A file in an archive. */
export interface ArchiveEntry {
  path: string;
  /** @throws Problem 422 `broken_entry` */
  bytes(): Promise<Buffer>;
}

/** A file below this size may have any ratio of compression. */
export const SMALL_BYTES = 1024 * 1024;
/** The most entries that an archive may list, as a multiple of `max_files`: folders and junk do not count as files. */
export const MAX_LISTED_RATIO = 100;

export const invalidArchive = (why: string) =>
  badRequest('invalid_archive', `body: the archive can not be read: ${why}`);
export const archiveTooLarge = (why: string) =>
  new Problem({ status: 413, code: 'archive_too_large', detail: `body: the archive is refused: ${why}` });
export const brokenEntry = (why: string) =>
  new Problem({ status: 422, code: 'broken_entry', detail: `this file of the archive can not be read: ${why}` });

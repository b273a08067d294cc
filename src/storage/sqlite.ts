import { existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { StartError } from '../config/start-error.js';

/** How long opening waits for another process to close the file. */
const OPEN_MS = 5000;
/**
 * How long a write waits for a lock. The wait blocks the whole process, reads included, so it is short; the caller
 * then gets 503 `storage_busy`.
 */
const BUSY_MS = 250;

/**
 * Opens (or makes) a database whose commits survive a kill and a power cut: WAL with `synchronous = FULL`.
 * `migrations[n]` brings the schema from version n to n + 1; a migration that was ever released is never edited.
 * Deleted rows are overwritten with zeros (`secure_delete`).
 * @throws StartError when the file is no database, is damaged, or was written by a newer release
 */
export function openDatabase(file: string, migrations: readonly string[]): DatabaseSync {
  if (file !== ':memory:') mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  try {
    return open(file, migrations);
  } catch (error) {
    if (error instanceof StartError || (error as { code?: string }).code !== 'ERR_SQLITE_ERROR') throw error;
    const advice = 'put a backup in its place, or move it away to begin with an empty one';
    throw new StartError(`${file} can't be opened as a database (${(error as Error).message}); ${advice}`);
  }
}

function open(file: string, migrations: readonly string[]): DatabaseSync {
  const db = new DatabaseSync(file, { timeout: OPEN_MS });
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON');
  const version = Number(db.prepare('PRAGMA user_version').get()?.['user_version']);
  if (version > migrations.length) {
    throw new StartError(`${file} has schema version ${version}; this release knows ${migrations.length} at most`);
  }
  for (const [index, sql] of migrations.entries()) {
    if (index >= version) transaction(db, () => db.exec(`${sql}; PRAGMA user_version = ${index + 1}`));
  }
  db.exec(`PRAGMA busy_timeout = ${BUSY_MS}`);
  return db;
}

/** The schema version of a database; undefined where there is no such file. */
export function schemaVersion(file: string): number | undefined {
  if (!existsSync(file)) return undefined;
  const db = new DatabaseSync(file, { timeout: OPEN_MS });
  try {
    return Number(db.prepare('PRAGMA user_version').get()?.['user_version']);
  } catch {
    // Not a database: opening it says so, with advice.
    return undefined;
  } finally {
    db.close();
  }
}

/** Runs `work` in one write transaction, which is rolled back when `work` throws. `work` must be synchronous. */
export function transaction<T>(db: DatabaseSync, work: () => T): T {
  db.exec('BEGIN IMMEDIATE');
  try {
    const result = work();
    db.exec('COMMIT');
    return result;
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK');
    throw error;
  }
}

/**
 * {@link transaction} without waiting for the disk: its changes survive a kill, but a power cut may undo them, until
 * a later durable transaction. Use it for changes that are made again, with the same result, when they were undone.
 */
export function repeatable<T>(db: DatabaseSync, work: () => T): T {
  db.exec('PRAGMA synchronous = NORMAL');
  try {
    return transaction(db, work);
  } finally {
    db.exec('PRAGMA synchronous = FULL');
  }
}

import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/**
 * Opens (or makes) a database whose commits survive a kill and a power cut: WAL with `synchronous = FULL`.
 * `migrations[n]` brings the schema from version n to n + 1; a migration that was ever released is never edited.
 * @throws Error when the file was written by a newer release
 */
export function openDatabase(file: string, migrations: readonly string[]): DatabaseSync {
  if (file !== ':memory:') mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const db = new DatabaseSync(file, { timeout: 5000 });
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON');
  const version = Number(db.prepare('PRAGMA user_version').get()?.['user_version']);
  if (version > migrations.length) {
    throw new Error(`${file} has schema version ${version}; this release knows ${migrations.length} at most`);
  }
  for (const [index, sql] of migrations.entries()) {
    if (index >= version) transaction(db, () => db.exec(`${sql}; PRAGMA user_version = ${index + 1}`));
  }
  return db;
}

/** Runs `work` in one write transaction: all of it is kept, or, when it throws, none. `work` must be synchronous. */
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
 * {@link transaction} without waiting for the disk: what it did survives a kill, and a power cut may undo it. For what is
 * done again, with the same end, where it was undone. Later durable transactions keep it, too.
 */
export function repeatable<T>(db: DatabaseSync, work: () => T): T {
  db.exec('PRAGMA synchronous = NORMAL');
  try {
    return transaction(db, work);
  } finally {
    db.exec('PRAGMA synchronous = FULL');
  }
}

import type { DatabaseSync } from 'node:sqlite';

/** Deletions within this time are scrubbed together. */
const DELAY_MS = 500;
const MAX_TRIES = 20;

const scheduled = new WeakSet<DatabaseSync>();

/**
 * Removes deleted rows from the write-ahead log too, after a short delay: a checkpoint overwrites their pages in the
 * database (`secure_delete`) and truncates the log.
 */
export function scrubSoon(db: DatabaseSync, tries = MAX_TRIES): void {
  if (scheduled.has(db)) return;
  scheduled.add(db);
  setTimeout(() => {
    scheduled.delete(db);
    if (db.isOpen && !scrub(db) && tries > 1) scrubSoon(db, tries - 1);
  }, DELAY_MS).unref();
}

/** @returns false while a reader still needs the log */
function scrub(db: DatabaseSync): boolean {
  try {
    return db.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get()?.['busy'] === 0;
  } catch {
    return false;
  }
}

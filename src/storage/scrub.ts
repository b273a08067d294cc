import type { DatabaseSync } from 'node:sqlite';

/** Deletions that come close together are cleared away together. */
const DELAY_MS = 500;
const MAX_TRIES = 20;

const scheduled = new WeakSet<DatabaseSync>();

/**
 * Takes what was deleted out of the write-ahead log too, a moment from now: its pages in the database are overwritten
 * (`secure_delete`) when the log is written back, and the log is then cut to nothing.
 */
export function scrubSoon(db: DatabaseSync, tries = MAX_TRIES): void {
  if (scheduled.has(db)) return;
  scheduled.add(db);
  setTimeout(() => {
    scheduled.delete(db);
    if (db.isOpen && !scrub(db) && tries > 1) scrubSoon(db, tries - 1);
  }, DELAY_MS).unref();
}

/** @returns false while somebody still reads from the log */
function scrub(db: DatabaseSync): boolean {
  try {
    return db.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get()?.['busy'] === 0;
  } catch {
    return false;
  }
}

import { closeSync, openSync, writeSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { isStorageFull } from './storage-full.js';

function errorOf(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  throw new Error('it did not fail');
}

describe('isStorageFull', () => {
  it('knows a full disk', () => {
    const full = openSync('/dev/full', 'w');
    expect(isStorageFull(errorOf(() => writeSync(full, 'x')))).toBe(true);
    closeSync(full);
  });

  it('knows a full database', () => {
    const db = new DatabaseSync(':memory:');
    db.exec('CREATE TABLE t (x); PRAGMA max_page_count = 2');
    expect(isStorageFull(errorOf(() => db.exec(`INSERT INTO t VALUES ('${'x'.repeat(50_000)}')`)))).toBe(true);
    expect(isStorageFull(errorOf(() => db.exec('no SQL')))).toBe(false);
  });

  it('takes nothing else for one', () => {
    expect(isStorageFull(errorOf(() => openSync('/nowhere/at/all', 'w')))).toBe(false);
    expect(isStorageFull(undefined)).toBe(false);
    expect(isStorageFull('ENOSPC')).toBe(false);
  });
});

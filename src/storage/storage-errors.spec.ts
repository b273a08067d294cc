import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { isStorageBusy, isStorageFull } from './storage-errors.js';
import { openDatabase, transaction } from './sqlite.js';

function errorOf(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  throw new Error('it did not fail');
}

describe('isStorageFull', () => {
  it('recognises a full disk', () => {
    const full = openSync('/dev/full', 'w');
    expect(isStorageFull(errorOf(() => writeSync(full, 'x')))).toBe(true);
    closeSync(full);
  });

  it('recognises a full database', () => {
    const db = new DatabaseSync(':memory:');
    db.exec('CREATE TABLE t (x); PRAGMA max_page_count = 2');
    expect(isStorageFull(errorOf(() => db.exec(`INSERT INTO t VALUES ('${'x'.repeat(50_000)}')`)))).toBe(true);
    expect(isStorageFull(errorOf(() => db.exec('no SQL')))).toBe(false);
  });

  it('recognises nothing else', () => {
    expect(isStorageFull(errorOf(() => openSync('/nowhere/at/all', 'w')))).toBe(false);
    expect(isStorageFull(undefined)).toBe(false);
    expect(isStorageFull('ENOSPC')).toBe(false);
  });
});

describe('a database file', () => {
  let dir: string;
  beforeEach(() => (dir = mkdtempSync(join(tmpdir(), 'caudex-storage-'))));
  afterEach(() => rmSync(dir, { recursive: true }));

  it('that is locked by another process fails within half a second, and can still be read', () => {
    const file = join(dir, 'a.db');
    const db = openDatabase(file, ['CREATE TABLE t (x)']);
    const other = new DatabaseSync(file);
    other.exec('BEGIN IMMEDIATE');
    const beganMs = performance.now();
    const error = errorOf(() => transaction(db, () => db.exec('INSERT INTO t VALUES (1)')));
    expect(isStorageBusy(error)).toBe(true);
    expect(isStorageFull(error)).toBe(false);
    expect(performance.now() - beganMs).toBeLessThan(500);
    expect(db.prepare('SELECT count(*) AS n FROM t').get()).toEqual({ n: 0 });
    other.close();
    db.close();
  });

  it('that is damaged is reported in one sentence', () => {
    const file = join(dir, 'a.db');
    writeFileSync(file, 'this is not a database, but it is long enough to have a header that could be one');
    const error = errorOf(() => openDatabase(file, [])) as Error;
    expect(error.message).toMatch(`${file} can't be opened as a database (file is not a database)`);
  });

  it('overwrites deleted data', () => {
    const db = openDatabase(join(dir, 'a.db'), []);
    expect(db.prepare('PRAGMA secure_delete').get()).toEqual({ secure_delete: 1 });
    db.close();
  });
});

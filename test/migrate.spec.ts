import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { loadConfig } from '../src/config/config.loader.js';
import { migrate } from '../src/migrate/migrate.js';
import { lockDataFolder } from '../src/storage/data-lock.js';

describe('the migration of all databases', () => {
  let dir: string;
  beforeEach(() => (dir = mkdtempSync(join(tmpdir(), 'caudex-migrate-'))));
  afterEach(() => rmSync(dir, { recursive: true }));

  const run = async () => {
    const lines: string[] = [];
    await migrate(loadConfig({ NODE_ENV: 'test', DATA_DIR: dir }), (line: string) => lines.push(line));
    return lines;
  };

  it('creates each database, and changes nothing when it is repeated', async () => {
    const made = await run();
    expect(made).toHaveLength(8);
    expect(made.filter((line) => line.endsWith('(made)'))).toHaveLength(8);
    expect((await run()).filter((line) => line.endsWith('(as it was)'))).toHaveLength(8);
  });

  it('updates a database of an earlier release', async () => {
    mkdirSync(join(dir, 'git'));
    const db = new DatabaseSync(join(dir, 'git/git.db'));
    db.exec('PRAGMA user_version = 0');
    db.close();
    expect((await run()).find((line) => line.includes('git.db'))).toMatch(/ \(from 0\)$/);
  });

  it('refuses a folder in use, a newer schema and a file that is not a database, each by name', async () => {
    const unlock = lockDataFolder(dir, 'billing');
    await expect(run()).rejects.toThrow('billing is in use by another billing process');
    unlock();
    const db = new DatabaseSync(join(dir, 'auth/accounts.sqlite'));
    db.exec('PRAGMA user_version = 99');
    db.close();
    await expect(run()).rejects.toThrow('accounts.sqlite has schema version 99; this release knows');
    writeFileSync(join(dir, 'auth/accounts.sqlite'), 'no database at all, but long enough to be taken for one');
    await expect(run()).rejects.toThrow("accounts.sqlite can't be opened as a database");
  }, 20_000);
});

import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { SqliteAnswerStore } from '../../src/backend/edge/idempotency/sqlite-answer.store.js';
import { SqliteImportStore } from '../../src/backend/imports/sqlite-import.store.js';
import { backup } from '../../src/backup/backup.js';
import { check } from '../../src/check/check.js';
import { loadConfig } from '../../src/config/config.loader.js';
import { openAuthStores } from '../../src/downstream/auth/server/auth-stores.js';
import { SigningKeys } from '../../src/downstream/auth/server/tokens/signing-keys.js';
import { BILLING_PART } from '../../src/downstream/billing/server/billing-database.js';
import { SqliteLedger } from '../../src/downstream/billing/server/sqlite-ledger.js';
import { migrate } from '../../src/migrate/migrate.js';
import { migrateData } from '../../src/migrate/migrate-data.js';
import { SqliteOutboxStore } from '../../src/outbox/sqlite-outbox.store.js';
import { openPostgres } from '../../src/storage/postgres/open-postgres.js';
import {
  describeWithPostgres,
  PostgresServer,
  testSettings,
} from '../../src/storage/postgres/testing/postgres-server.js';

const LEDGER = { startingCredits: 100, reservationTtlMs: 3_600_000 };
const DAY_MS = 86_400_000;
const FILES = ['auth/accounts.sqlite', 'billing/ledger.sqlite', 'backend/outbox.db', 'backend/idempotency.db'];

describeWithPostgres('the move of all data between SQLite and PostgreSQL', () => {
  let server: PostgresServer;
  let url: string;
  let dir: string;
  const configOf = (dataDir: string) => loadConfig({ NODE_ENV: 'test', DATA_DIR: dataDir, DATABASE_URL: url });
  const run = async (target?: string, dataDir = join(dir, 'data')) => {
    const lines: string[] = [];
    await migrateData(configOf(dataDir), target, (line) => lines.push(line));
    return lines;
  };

  beforeAll(async () => {
    server = await PostgresServer.start();
  });
  afterAll(() => server.stop());
  beforeEach(async () => {
    url = await server.newDatabase();
    dir = mkdtempSync(join(tmpdir(), 'caudex-move-'));
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  /** Data of every table, more than one batch of some, with texts that PostgreSQL does not take as they are. */
  async function fill(dataDir: string): Promise<void> {
    const auth = openAuthStores({ ...configOf(dataDir), data_dir: dataDir }, null);
    for (let n = 0; n < 1201; n++) {
      await auth.accounts.add({ user_id: `u${n}`, email: `Ä${n}@example.com`, password_hash: `h${n}`, demo: n === 7 });
    }
    await auth.keys.create('u1', { name: 'a\0"b', scopes: ['read'], project_id: 'p', expires_at: null }, 9);
    await auth.revoked.add('t1', Date.now() + DAY_MS);
    await auth.seenUsers.remember({ user_id: 's1', email: 's@example.com', operator: true });
    await auth.seenUsers.forget('gone', 1_700_000_000_000);
    await auth.guesses.add('own:x', Date.now() + DAY_MS);
    await SigningKeys.open(auth.signingKeys, { rotationMs: DAY_MS, tokenTtlMs: DAY_MS });
    auth.close();
    const ledger = new SqliteLedger(join(dataDir, 'billing/ledger.sqlite'), LEDGER);
    for (let n = 0; n < 30; n++) await ledger.capture(`u${n % 3}`, `m${n}`, n);
    await ledger.grant('u1', { id: 'g', credits: 5, note: 'so\0so' });
    await ledger.reserve('u2', 'open', 2);
    await ledger.closeAccount('gone', '2026-01-01T00:00:00.000Z');
    await ledger.close();
    const outbox = new SqliteOutboxStore(join(dataDir, 'backend/outbox.db'), 1e9);
    const entry = { topic: 'turn', key: 'k', userId: 'u1', projectId: null, payload: { text: 'a\0b', emoji: '🪺' } };
    await outbox.add(
      Array.from({ length: 900 }, () => entry),
      'ready',
    );
    const [held] = await outbox.add([{ ...entry, projectId: 'p' }, entry], 'held');
    await outbox.bury((await outbox.pending('turn', 'u1'))[3]?.id ?? '', 'no good');
    await outbox.remove([(await outbox.pending('turn', 'u1'))[0]?.id ?? '']);
    await outbox.close();
    expect(held).toBeDefined();
    const answers = new SqliteAnswerStore(join(dataDir, 'backend/idempotency.db'));
    await answers.claim({ userId: 'u1', key: 'k', fingerprint: 'f' }, Date.now());
    await answers.complete({ userId: 'u1', key: 'k', fingerprint: 'f' }, '{}', { projectId: 'p' });
    await answers.claim({ userId: 'u1', key: 'open', fingerprint: 'f' }, Date.now());
    await answers.close();
    const imports = new SqliteImportStore(join(dataDir, 'backend/imports.db'));
    const progress = {
      ...{ import_id: 'i', source: '/books', branch: null, state: 'running' as const, detail: null },
      ...{ imported_commits: 0, documents: 0, skipped: 0, skipped_documents: [] },
    };
    await imports.add({ userId: 'u1', projectId: 'p', progress, before: null });
    await imports.close();
  }

  /** All rows of all tables of a data folder, as text. */
  function contentsOf(dataDir: string): string[] {
    return FILES.flatMap((file) => {
      const db = new DatabaseSync(join(dataDir, file), { readOnly: true });
      const tables = db
        .prepare(`SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`)
        .all();
      const rows = tables.flatMap(({ name }) =>
        db
          .prepare(`SELECT * FROM ${String(name)} ORDER BY 1, 2`)
          .all()
          .map((row) => `${String(name)} ${JSON.stringify(row)}`),
      );
      db.close();
      return rows;
    });
  }

  it('copies every row there and back, and says how many', async () => {
    await fill(join(dir, 'data'));
    const lines = await run();
    expect(lines.find((line) => line.startsWith('auth.account'))).toMatch(
      /^auth\.account: 1201 rows in postgres, 1201 of them copied now; equal \(sha256 [0-9a-f]{16}\)$/,
    );
    expect(lines.find((line) => line.startsWith('billing.account'))).toMatch(/: 3 rows/);
    expect(lines).toContain('auth: signing keys: 1, 1 of them copied now');
    expect((await run('postgres')).filter((line) => / 0 of them copied now/.test(line))).toHaveLength(15);

    const back = await run('sqlite', join(dir, 'back'));
    expect(back.filter((line) => line.includes('in sqlite'))).toHaveLength(21);
    const expected = contentsOf(join(dir, 'data')).map((row) =>
      row.includes('"state":"held"') ? row.replace('"held"', '"ready"').replace('"recovered":0', '"recovered":1') : row,
    );
    expect(contentsOf(join(dir, 'back'))).toEqual(expected);
    const keys = (folder: string) =>
      readdirSync(join(dir, folder, 'auth/keys')).map((file) =>
        readFileSync(join(dir, folder, 'auth/keys', file), 'utf8'),
      );
    expect(keys('back').map((text) => JSON.parse(text))).toEqual(keys('data').map((text) => JSON.parse(text)));
  });

  it('goes on after an interruption', async () => {
    await fill(join(dir, 'data'));
    const interrupted = migrateData(configOf(join(dir, 'data')), 'postgres', (line) => {
      if (line.startsWith('billing.account')) throw new Error('interrupted');
    });
    await expect(interrupted).rejects.toThrow('interrupted');
    await server.query(`DELETE FROM auth.account WHERE user_id > 'u5'`, new URL(url).pathname.slice(1));
    const lines = await run();
    expect(lines.find((line) => line.startsWith('auth.account'))).toMatch(/: 1201 rows in postgres, [1-9]\d* of them/);
    expect(lines.find((line) => line.startsWith('billing.ledger'))).toMatch(/: 34 rows in postgres, 34 of them/);
  });

  it('counts on in PostgreSQL where SQLite ended', async () => {
    await fill(join(dir, 'data'));
    await run();
    const rows = await server.query(
      `INSERT INTO billing.ledger (id, user_id, key, kind, credits, balance, created_at)
       VALUES ('x', 'u1', 'x', 'grant', 1, 1, '') RETURNING seq`,
      new URL(url).pathname.slice(1),
    );
    expect(Number(rows[0]?.['seq'])).toBe(35);
  });

  it('says where the target has other rows, and changes nothing there', async () => {
    await fill(join(dir, 'data'));
    await run();
    await server.query(
      `UPDATE auth.account SET password_hash = 'other' WHERE user_id = 'u3'`,
      new URL(url).pathname.slice(1),
    );
    await expect(run()).rejects.toThrow(
      'auth.account: 1201 rows were to be there, and 1201 are, with other contents: the target was used before; empty it',
    );
  });

  it('refuses while a process uses the database, and a target that does not exist', async () => {
    const db = await openPostgres(testSettings(url), BILLING_PART, () => undefined);
    await db.read('SELECT 1');
    await expect(run()).rejects.toThrow('is in use by a billing process; end it first');
    await db.close();
    await expect(run('mysql')).rejects.toThrow('"mysql" is no target; it is postgres, sqlite or documents');
    const without = loadConfig({ NODE_ENV: 'test', DATA_DIR: dir });
    await expect(migrateData(without, 'sqlite')).rejects.toThrow('DATABASE_URL: missing');
  });

  it('is prepared by `migrate`, asked by `check` and named by `backup`', async () => {
    const lines: string[] = [];
    const print = (line: string) => void lines.push(line);
    await migrate(configOf(join(dir, 'data')), print);
    expect(lines).toContainEqual(
      expect.stringMatching(/\/test_\d+: schema billing \(applied 001_ledger, 002_closed_accounts\)$/),
    );
    expect(lines.filter((line) => line.includes('ledger.sqlite'))).toEqual([]);
    lines.length = 0;
    await migrate(configOf(join(dir, 'data')), print);
    expect(lines).toContainEqual(expect.stringMatching(/schema billing \(as it was\)$/));

    lines.length = 0;
    await check(configOf(join(dir, 'data')), print);
    expect(lines.find((line) => line.startsWith('postgresql'))).toMatch(/ ok .*PostgreSQL \d+/);
    lines.length = 0;
    const wrong = loadConfig({ NODE_ENV: 'test', DATABASE_URL: url.replace(/\w+$/, 'nowhere') });
    await check(wrong, print);
    expect(lines.find((line) => line.startsWith('postgresql'))).toMatch(
      /FAILED +DATABASE_URL +.*"nowhere" does not exist/,
    );

    lines.length = 0;
    await backup(configOf(join(dir, 'data')), join(dir, 'backup.tar.gz'), print);
    expect(lines[1]).toMatch(/^caudex: PostgreSQL at 127\.0\.0\.1:\d+\/test_\d+ is NOT in it: save it with pg_dump/);
  });
});

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StartError } from '../../config/start-error.js';
import { isStorageBusy, StorageUnavailable, UnstorableText } from '../storage-errors.js';
import { addressOf } from './address.js';
import { migratePostgres, openPostgres, type Part } from './open-postgres.js';
import { Postgres } from './postgres.js';
import { describeWithPostgres, PostgresServer, testSettings } from './testing/postgres-server.js';

describeWithPostgres('Postgres', () => {
  let server: PostgresServer;
  let url: string;
  let dir: string;
  let part: Part;
  let postgres: Postgres;
  const warnings: string[] = [];
  const warn = (message: string) => void warnings.push(message);
  const write = (name: string, sql: string) => writeFileSync(join(part.migrations, name), sql);

  beforeAll(async () => {
    server = await PostgresServer.start();
  });
  afterAll(() => server.stop());

  beforeEach(async () => {
    url = await server.newDatabase();
    dir = mkdtempSync(join(tmpdir(), 'caudex-migrations-'));
    part = { namespace: 'shop', migrations: join(dir, 'migrations') };
    mkdirSync(part.migrations);
    write('001_goods.sql', 'CREATE TABLE goods (name text PRIMARY KEY, price bigint NOT NULL)');
    postgres = await openPostgres(testSettings(url), part, warn);
  });
  afterEach(async () => {
    await postgres.close();
    rmSync(dir, { recursive: true });
  });

  it('keeps each part in a schema of its own', async () => {
    await postgres.write('INSERT INTO goods VALUES ($1, $2)', ['pear', 2 ** 40]);
    expect((await postgres.read('SELECT * FROM goods')).rows).toEqual([{ name: 'pear', price: 2 ** 40 }]);
    expect(await server.query('SELECT name FROM shop.goods', new URL(url).pathname.slice(1))).toHaveLength(1);
    const other = await openPostgres(testSettings(url), { ...part, namespace: 'other' }, warn);
    expect((await other.read('SELECT * FROM goods')).rows).toEqual([]);
    await other.close();
  });

  it('keeps the options of the URL beside its own', async () => {
    const withOptions = new Postgres(testSettings(`${url}?options=-c%20timezone%3DAsia/Tokyo`), 'shop', warn);
    expect((await withOptions.read('SHOW timezone')).rows).toEqual([{ TimeZone: 'Asia/Tokyo' }]);
    expect((await withOptions.read('SELECT * FROM goods')).rows).toEqual([]);
    await withOptions.close();
  });

  it('applies each migration once, also where several processes start at the same time', async () => {
    write('002_count.sql', 'CREATE TABLE count (n int); INSERT INTO count VALUES (1); SELECT pg_sleep(0.2)');
    const applied = await Promise.all([1, 2, 3].map(() => migratePostgres(testSettings(url), part)));
    expect(applied.flat()).toEqual(['002_count']);
    expect((await postgres.read('SELECT n FROM count')).rows).toEqual([{ n: 1 }]);
  });

  it('applies all migrations of a release or none', async () => {
    write('002_first.sql', 'CREATE TABLE first (n int)');
    write('003_wrong.sql', 'CREATE TABLE goods (n int)');
    await expect(migratePostgres(testSettings(url), part)).rejects.toThrow(
      `DATABASE_URL: PostgreSQL at ${addressOf(url)} refused: the schema "shop" can't be migrated: relation "goods" already exists`,
    );
    await expect(postgres.read('SELECT * FROM first')).rejects.toThrow('relation "first" does not exist');
  });

  it('does not start on the schema of a newer release', async () => {
    write('002_newer.sql', 'CREATE TABLE newer (n int)');
    await migratePostgres(testSettings(url), part);
    rmSync(join(part.migrations, '002_newer.sql'));
    const start = openPostgres(testSettings(url), part, warn);
    await expect(start).rejects.toThrow(StartError);
    await expect(start).rejects.toThrow('newer release (002_newer); this release knows 001_goods at most');
  });

  it('does not start where the database refuses, and never shows the password', async () => {
    const missing = url.replace(/\w+$/, 'nowhere').replace('caudex@', 'caudex:s3cret@');
    const start = openPostgres(testSettings(missing), part, warn);
    await expect(start).rejects.toThrow(StartError);
    await expect(start).rejects.toThrow(`${addressOf(missing)} refused: database "nowhere" does not exist`);
    const withTls = openPostgres(testSettings(`${url}?sslmode=verify-full`), part, warn);
    await expect(withTls).rejects.toThrow('The server does not support SSL connections');
    await server.query(`CREATE ROLE weak LOGIN`);
    const noRights = openPostgres(testSettings(url.replace('caudex@', 'weak:s3cret@')), part, warn);
    await expect(noRights).rejects.toThrow('permission denied');
    await expect(noRights).rejects.not.toThrow('s3cret');
    await expect(start).rejects.not.toThrow('s3cret');
  });

  it('goes on while another release migrates its tables', async () => {
    await postgres.write(`INSERT INTO goods VALUES ('pear', 1)`);
    const all = async () => (await postgres.read('SELECT * FROM goods')).rows;
    expect(await all()).toEqual([{ name: 'pear', price: 1 }]);
    write('002_colour.sql', `ALTER TABLE goods ADD COLUMN colour text DEFAULT 'green'`);
    await migratePostgres(testSettings(url), part);
    expect(await all()).toEqual([{ name: 'pear', price: 1, colour: 'green' }]);
  });

  it('waits at the start while the database is unreachable', async () => {
    await server.halt();
    warnings.length = 0;
    const starting = openPostgres(testSettings(url), part, warn);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(warnings[0]).toBe(
      `DATABASE_URL: PostgreSQL at ${addressOf(url)} is unreachable (connect ECONNREFUSED 127.0.0.1:${server.port}); trying again every 1 s`,
    );
    await server.resume();
    await (await starting).close();
  });

  it('rolls a transaction back when its work throws', async () => {
    const failing = postgres.transaction(async (session) => {
      await session.query(`INSERT INTO goods VALUES ('plum', 1)`);
      throw new Error('no plums');
    });
    await expect(failing).rejects.toThrow('no plums');
    expect((await postgres.read('SELECT * FROM goods')).rows).toEqual([]);
  });

  it('repeats a transaction after a deadlock', async () => {
    await postgres.write(`INSERT INTO goods VALUES ('a', 0), ('b', 0)`);
    const raise = (first: string, second: string) =>
      postgres.transaction(async (session) => {
        await session.query('UPDATE goods SET price = price + 1 WHERE name = $1', [first]);
        await new Promise((resolve) => setTimeout(resolve, 50));
        await session.query('UPDATE goods SET price = price + 1 WHERE name = $1', [second]);
      });
    await Promise.all([raise('a', 'b'), raise('b', 'a')]);
    expect((await postgres.read('SELECT price FROM goods')).rows).toEqual([{ price: 2 }, { price: 2 }]);
  });

  it('repeats a transaction whose connection was lost before COMMIT', async () => {
    let runs = 0;
    await postgres.transaction(async (session) => {
      await session.query(`INSERT INTO goods VALUES ('plum', 1)`);
      if (runs++ > 0) return;
      const { rows } = await session.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
      await server.query(`SELECT pg_terminate_backend(${rows[0]?.pid})`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    });
    expect(runs).toBe(2);
    expect((await postgres.read('SELECT * FROM goods')).rows).toHaveLength(1);
  });

  it('closes unused connections but one, by which its database is seen to be in use', async () => {
    const idle = new Postgres({ ...testSettings(url), idle_ms: 100 }, 'shop', warn);
    try {
      await Promise.all([1, 2, 3].map(() => idle.read('SELECT pg_sleep(0.1)')));
      await new Promise((resolve) => setTimeout(resolve, 1000));
      const database = new URL(url).pathname.slice(1);
      const connections = await server.query(
        `SELECT FROM pg_stat_activity WHERE datname = '${database}' AND application_name = 'caudex-shop'`,
      );
      expect(connections).toHaveLength(1);
    } finally {
      await idle.close();
    }
  });

  it('says that it is unavailable while the database is away, and goes on by itself when it is back', async () => {
    await postgres.read('SELECT 1');
    await server.halt('SIGQUIT');
    const beganMs = performance.now();
    const writing = postgres.write(`INSERT INTO goods VALUES ('plum', 1)`);
    await expect(writing).rejects.toThrow(StorageUnavailable);
    await writing.catch((error: unknown) => expect(isStorageBusy(error)).toBe(true));
    await expect(postgres.transaction(async () => 1)).rejects.toThrow(StorageUnavailable);
    expect(performance.now() - beganMs).toBeLessThan(1000);
    await server.resume();
    await postgres.write(`INSERT INTO goods VALUES ('plum', 1)`);
  });

  it('says that it is unavailable where a statement takes too long, or waits too long for a lock', async () => {
    await postgres.transaction(async (session) => {
      await session.query('LOCK TABLE goods');
      await expect(postgres.read('SELECT * FROM goods')).rejects.toThrow('lock timeout');
    });
    await expect(postgres.read('SELECT pg_sleep(5)')).rejects.toThrow(StorageUnavailable);
    expect((await postgres.read('SELECT * FROM goods')).rows).toEqual([]);
  });

  it('says that it is unavailable where a server takes connections and never answers', async () => {
    const silent: Server = createServer().listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as { port: number };
    const mute = new Postgres(testSettings(`postgres://caudex@127.0.0.1:${port}/x`), 'shop', warn);
    const beganMs = performance.now();
    await expect(mute.read('SELECT 1')).rejects.toThrow(StorageUnavailable);
    expect(performance.now() - beganMs).toBeLessThan(2000);
    await mute.close();
    silent.close();
  });

  it('refuses a text with U+0000, and keeps it in JSON', async () => {
    await expect(postgres.write('INSERT INTO goods VALUES ($1, 1)', ['a\0b'])).rejects.toThrow(UnstorableText);
    await postgres.write('INSERT INTO goods VALUES ($1, 1)', [JSON.stringify('a\0b')]);
    const { rows } = await postgres.read<{ name: string }>('SELECT name FROM goods');
    expect(JSON.parse(rows[0]?.name ?? '')).toBe('a\0b');
  });
});

import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '../../src/config/config.loader.js';
import { FilesystemServerModule } from '../../src/downstream/filesystem/server/filesystem-server.module.js';
import { migrateData } from '../../src/migrate/migrate-data.js';
import { describeWithPostgres, PostgresServer } from '../../src/storage/postgres/testing/postgres-server.js';
import { type ServerUnderTest, startForTest } from '../server-under-test.js';

const URL_ = process.env['S3_TEST_URL'];
const BUCKETS = process.env['S3_TEST_DATA'] ?? '';
if (URL_ === undefined)
  console.warn('S3_TEST_URL is not set (.ci/s3 sets it): replicas with documents on S3 are not tested');

const USER = 'ada';

(URL_ === undefined ? describe.skip : describeWithPostgres)('filesystem servers on one database and one bucket', () => {
  const bucket = `caudex-replicas-${process.pid}`;
  let postgres: PostgresServer;
  let dir: string;
  let storage: Record<string, string>;
  let database: Record<string, string>;

  beforeAll(async () => {
    postgres = await PostgresServer.start();
  });
  afterAll(() => postgres.stop());
  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), 'caudex-s3-'));
    mkdirSync(join(BUCKETS, bucket));
    storage = {
      CAUDEX__STORAGE__DOCUMENTS: 's3',
      CAUDEX__STORAGE__S3__ENDPOINT: String(URL_),
      CAUDEX__STORAGE__S3__BUCKET: bucket,
      S3_ACCESS_KEY_ID: String(process.env['S3_TEST_KEY']),
      S3_SECRET_ACCESS_KEY: String(process.env['S3_TEST_SECRET']),
    };
    database = { DATABASE_URL: await postgres.newDatabase() };
  });
  afterEach(() => {
    rmSync(dir, { recursive: true });
    rmSync(join(BUCKETS, bucket), { recursive: true });
  });

  const start = (name: string, settings: Record<string, string>) =>
    startForTest('filesystem', FilesystemServerModule, { ...storage, ...settings, DATA_DIR: join(dir, name) });
  const owner = () => readFileSync(join(BUCKETS, bucket, 'caudex-owner'), 'utf8');
  const put = (server: ServerUnderTest, path: string, text: string) =>
    server.call('PUT', `/projects/p/document?path=${path}`, {
      user: USER,
      body: { version: `v-${path}`, media_type: 'text/markdown', text },
    });
  const textOf = async (server: ServerUnderTest, path: string) =>
    (await server.call('GET', `/projects/p/document?path=${path}`, { user: USER })).body['text'];
  const found = async (server: ServerUnderTest, query: string) => {
    const answer = await server.call('POST', '/projects/p/search', { user: USER, body: { query, limit: 9 } });
    return (answer.body['results'] as { document: string }[]).map(({ document }) => document);
  };
  const newProject = (server: ServerUnderTest) =>
    server.call('POST', '/projects', { user: USER, body: { project_id: 'p', name: 'Notes' } });

  it('read, find and delete what the other stored', async () => {
    const [a, b] = [await start('a', database), await start('b', database)];
    await newProject(a);
    expect((await put(a, 'pears.md', 'Williams pears ripen first.')).status).toBe(200);
    expect(await textOf(b, 'pears.md')).toBe('Williams pears ripen first.');
    expect(await found(b, 'pears')).toEqual(['pears.md']);
    await b.call('DELETE', '/projects/p/document?path=pears.md', { user: USER });
    expect(await found(a, 'pears')).toEqual([]);
    expect(await textOf(a, 'pears.md')).toBeUndefined();
    await a.close();
    await b.close();
  }, 30_000);

  it('takes the bucket over from a server on SQLite, which does not start on it then, and gives it back', async () => {
    const command = (target: string) => {
      const env = { NODE_ENV: 'test', ...storage, ...database, DATA_DIR: join(dir, 'a') };
      return migrateData(loadConfig(env, join(import.meta.dirname, '../../config')), target, () => undefined);
    };
    let server = await start('a', {});
    await newProject(server);
    await put(server, 'pears.md', 'Williams pears ripen first.');
    await server.close();
    const before = owner();
    await command('postgres');
    expect(owner()).not.toBe(before);
    const [a, b] = [await start('a', database), await start('b', database)];
    expect(await found(b, 'pears')).toEqual(['pears.md']);
    await put(b, 'plums.md', 'Plums ripen in August.');
    expect(await textOf(a, 'plums.md')).toBe('Plums ripen in August.');
    await a.close();
    await b.close();
    await expect(start('a', {})).rejects.toThrow(/holds the documents of another installation/);
    const root = join(dir, 'a', 'filesystem');
    for (const name of ['metadata.sqlite', 'metadata.sqlite-wal', 'metadata.sqlite-shm']) {
      if (existsSync(join(root, name))) renameSync(join(root, name), join(dir, name));
    }
    await command('sqlite');
    expect(owner()).toBe(before);
    server = await start('a', {});
    expect(await found(server, 'plums pears')).toHaveLength(2);
    expect(await textOf(server, 'plums.md')).toBe('Plums ripen in August.');
    await server.close();
  }, 60_000);
});

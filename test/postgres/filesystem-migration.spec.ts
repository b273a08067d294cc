import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '../../src/config/config.loader.js';
import { FilesystemServerModule } from '../../src/downstream/filesystem/server/filesystem-server.module.js';
import { migrateData } from '../../src/migrate/migrate-data.js';
import { describeWithPostgres, PostgresServer } from '../../src/storage/postgres/testing/postgres-server.js';
import { pdf } from '../sample-files.js';
import { ServerProcess } from '../server-process.js';
import { type ServerUnderTest, startForTest } from '../server-under-test.js';

const USER = 'ada';

describeWithPostgres('the copy of the filesystem server’s data', () => {
  let postgres: PostgresServer;
  let dir: string;
  let dataDir: string;
  let url: string;
  beforeAll(async () => {
    postgres = await PostgresServer.start();
  });
  afterAll(() => postgres.stop());
  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), 'caudex-copy-'));
    dataDir = join(dir, 'data');
    mkdirSync(dataDir);
    url = await postgres.newDatabase();
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  const start = (settings: Record<string, string> = {}) =>
    startForTest('filesystem', FilesystemServerModule, { DATA_DIR: dataDir, ...settings });
  const copy = async (
    target: 'postgres' | 'sqlite',
    { more = {}, print = () => undefined }: { more?: Record<string, string>; print?: (line: string) => void } = {},
  ) => {
    const env = { NODE_ENV: 'test', DATA_DIR: dataDir, DATABASE_URL: url, ...more };
    const config = loadConfig(env, join(import.meta.dirname, '../../config'));
    await migrateData(config, target, print);
  };
  const put = (server: ServerUnderTest, project: string, path: string, body: object) =>
    server.call('PUT', `/projects/${project}/document?path=${encodeURIComponent(path)}`, {
      user: USER,
      body: { version: `v-${path}`, media_type: 'text/markdown', ...body },
    });

  async function fill(server: ServerUnderTest): Promise<void> {
    for (const project_id of ['p', 'Q', 'gone']) {
      await server.call('POST', '/projects', { user: USER, body: { project_id, name: `Project ${project_id}` } });
    }
    await server.call('PATCH', '/projects/p', { user: USER, body: { instructions: 'Be short.' } });
    for (let i = 0; i < 30; i++)
      await put(server, i % 2 === 0 ? 'p' : 'Q', `${i}.md`, { text: `# Note ${i}\n\nZebra ${i}.` });
    await put(server, 'p', 'nul.md', { text: '# A\0B\n\nWith a strange title.' });
    const page = pdf('Badgers live in setts.').toString('base64');
    await put(server, 'p', 'badgers.pdf', { media_type: 'application/pdf', content_base64: page });
    await put(server, 'p', 'broken.pdf', { media_type: 'application/pdf', content_base64: 'AAAA' });
    await server.call('DELETE', '/projects/p/document?path=0.md', { user: USER });
    await server.call('DELETE', '/projects/gone', { user: USER });
    for (const id of ['c1', 'c2']) {
      for (let n = 0; n < 3; n++) {
        const turn = {
          ...{ message_id: `m${n}`, created_at: '2026-01-01T00:00:00.000Z', question: `Why\0 ${n}?`, thread: 't' },
          answer: { text: 'Because.', state: 'complete', metadata: { n } },
        };
        await server.call('PUT', `/conversations/${id}/turns`, { user: USER, body: { project_id: 'p', turn } });
      }
    }
    const trashed = '/projects/p/document?path=trashed.md';
    const body = { version: 'v', media_type: 'text/plain', text: 'Thrown\0 away.' };
    await server.call('PUT', trashed, { user: USER, body });
    await server.call('DELETE', `${trashed}&trash=true`, { user: USER });
    await server.call('DELETE', '/conversations/c2', { user: USER });
    await server.call('DELETE', '/conversations/c1/turns/m1', { user: USER });
  }

  /** What the server answers to reads. */
  async function answers(server: ServerUnderTest): Promise<unknown[]> {
    const reads = [
      ...['/projects', '/projects/gone', '/inventory', '/conversations', '/conversations/c1?all=true'],
      ...[
        '/conversations/c2',
        '/turns?thread=t',
        '/projects/p/documents',
        '/projects/Q/documents',
        '/projects/p/trash',
      ],
      ...['3.md', 'nul.md'].map((path) => `/projects/${path === '3.md' ? 'Q' : 'p'}/document?path=${path}`),
      ...['badgers.pdf', 'broken.pdf'].map((path) => `/projects/p/original?path=${path}`),
    ];
    const found = reads.map(async (path) => {
      const { status, body } = await server.call('GET', path, { user: USER });
      return { path, status, body: { ...body, request_id: undefined } };
    });
    const searches = ['zebra 4', 'badger', 'strange'].map(async (query) => {
      const body = { query, limit: 50, scope: { after: '2020-01-01' } };
      return (await server.call('POST', '/projects/p/search', { user: USER, body })).body;
    });
    return Promise.all([...found, ...searches]);
  }

  it.each([
    ['in their folder', false],
    ['in another folder', true],
  ])(
    'moves everything to PostgreSQL and back, with the contents %s',
    async (_, isElsewhere) => {
      const shared: Record<string, string> = isElsewhere ? { CAUDEX__STORAGE__DOCUMENTS_DIR: join(dir, 'shared') } : {};
      let server = await start();
      await fill(server);
      const before = await answers(server);
      await expect(copy('postgres', { more: shared })).rejects.toThrow('in use by another filesystem process');
      await server.close();

      const lines: string[] = [];
      await copy('postgres', { more: shared, print: (line) => lines.push(line) });
      expect(lines.find((line) => line.startsWith('filesystem.document:'))).toMatch(
        /: 31 rows in postgres, 31 of them copied now; equal /,
      );
      await expect(start()).rejects.toThrow(/DATABASE_URL: missing; .*files belongs to a PostgreSQL database/);
      server = await start({ DATABASE_URL: url, ...shared });
      expect(await answers(server)).toEqual(before);
      await put(server, 'p', 'new.md', { text: 'The zebra 4 of later.' });
      const turn = {
        ...{ message_id: 'm9', created_at: '2026-01-02T00:00:00.000Z', question: 'And now?' },
        answer: { text: 'Now.', state: 'complete', metadata: {} },
      };
      expect(
        (await server.call('PUT', '/conversations/c1/turns', { user: USER, body: { project_id: 'p', turn } })).status,
      ).toBe(200);
      const later = await answers(server);
      expect(later).not.toEqual(before);
      await expect(copy('sqlite', { more: shared })).rejects.toThrow('in use by another filesystem process');
      await server.close();

      await expect(copy('sqlite', { more: shared })).rejects.toThrow(/metadata\.sqlite exists; move it away/);
      const root = join(dataDir, 'filesystem');
      for (const name of readdirSync(root)) {
        if (name.startsWith('metadata.sqlite')) renameSync(join(root, name), join(dir, name));
      }
      await copy('sqlite', { more: shared });
      expect(existsSync(join(root, 'copying'))).toBe(false);
      server = await start();
      expect(await answers(server)).toEqual(later);
      await server.close();
    },
    60_000,
  );

  it('continues after an interruption, and starts no server before it is complete', async () => {
    const server = await start();
    await fill(server);
    const before = await answers(server);
    await server.close();
    const stopped = copy('postgres', {
      print: (line) => {
        if (line.startsWith('filesystem.turn:')) throw new Error('interrupted');
      },
    });
    await expect(stopped).rejects.toThrow('interrupted');
    const early = ServerProcess.start('filesystem', { DATA_DIR: dataDir, DATABASE_URL: url });
    await expect(early).rejects.toThrow('ended with 1 before it was ready');
    // The source goes on in between.
    const again = await start();
    await put(again, 'p', '2.md', { version: 'later', text: 'A later text of the second note.' });
    const changed = await answers(again);
    expect(changed).not.toEqual(before);
    await again.close();
    const lines: string[] = [];
    await copy('postgres', { print: (line) => lines.push(line) });
    expect(lines.join('\n')).toContain('filesystem: the source was changed since the copy was begun');
    const moved = await start({ DATABASE_URL: url });
    expect(await answers(moved)).toEqual(changed);
    await moved.close();
    await expect(copy('postgres')).rejects.toThrow('the schema "filesystem" has data already');
  }, 60_000);

  it('refuses while a server on the database runs elsewhere', async () => {
    const server = await start();
    await fill(server);
    await server.close();
    const other = await start({ DATABASE_URL: url, DATA_DIR: join(dir, 'other') });
    await expect(copy('postgres')).rejects.toThrow('is in use by a filesystem process');
    await other.close();
  }, 60_000);
});

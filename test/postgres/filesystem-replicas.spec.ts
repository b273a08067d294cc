import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { HEADER } from '../../src/contract/endpoint.js';
import { BackgroundRecognition } from '../../src/downstream/filesystem/server/documents/background-recognition.js';
import { DocumentWriter } from '../../src/downstream/filesystem/server/documents/document-writer.js';
import { FilesystemServerModule } from '../../src/downstream/filesystem/server/filesystem-server.module.js';
import { FilesystemStores } from '../../src/downstream/filesystem/server/filesystem-stores.js';
import { DocumentFiles } from '../../src/downstream/filesystem/server/files/document-files.js';
import { describeWithPostgres, PostgresServer } from '../../src/storage/postgres/testing/postgres-server.js';
import { ServerProcess } from '../server-process.js';
import { type ServerUnderTest, startForTest } from '../server-under-test.js';

interface Found {
  results: { document: string; text: string }[];
  documents: number;
  not_indexed?: number;
}
type Callable = Pick<ServerUnderTest, 'call'>;

const USER = 'ada';
const at = (project: string, path: string) => `/projects/${project}/document?path=${encodeURIComponent(path)}`;
const put = (server: Callable, project: string, path: string, text: string, extra: object = {}) =>
  server.call('PUT', at(project, path), {
    user: USER,
    body: { version: `v-${path}-${text.slice(0, 40)}`, media_type: 'text/markdown', text, ...extra },
  });
const get = (server: Callable, project: string, path: string) => server.call('GET', at(project, path), { user: USER });
const remove = (server: Callable, project: string, path: string) =>
  server.call('DELETE', at(project, path), { user: USER });
const search = async (server: Callable, project: string, query: string) => {
  const answer = await server.call('POST', `/projects/${project}/search`, { user: USER, body: { query, limit: 20 } });
  expect(answer.status).toBe(200);
  return answer.body as unknown as Found;
};
const documentsIn = (found: Found) => found.results.map(({ document }) => document);

describeWithPostgres('two filesystem servers on one database', () => {
  let postgres: PostgresServer;
  let dir: string;
  let a: ServerUnderTest;
  let b: ServerUnderTest;
  let settings: Record<string, string>;
  let projects = 0;
  const start = (name: string, more: Record<string, string> = {}) =>
    startForTest('filesystem', FilesystemServerModule, { ...settings, DATA_DIR: join(dir, name), ...more });
  const newProject = async () => {
    const project_id = `p${++projects}`;
    const made = await a.call('POST', '/projects', { user: USER, body: { project_id, name: 'Notes' } });
    expect(made.status).toBe(201);
    return project_id;
  };

  beforeAll(async () => {
    postgres = await PostgresServer.start();
    dir = mkdtempSync(join(tmpdir(), 'caudex-replicas-'));
    settings = {
      DATABASE_URL: await postgres.newDatabase(),
      CAUDEX__STORAGE__DOCUMENTS_DIR: join(dir, 'documents'),
      CAUDEX__QUOTAS__DOCUMENTS: '1000',
    };
    [a, b] = await Promise.all([start('a'), start('b')]);
  }, 60_000);
  afterAll(async () => {
    await a.close();
    await b.close();
    await postgres.stop();
    rmSync(dir, { recursive: true });
  });

  it('read, list and find at one at once what the other has acknowledged', async () => {
    const project = await newProject();
    for (let i = 0; i < 20; i++) {
      const [one, other] = i % 2 === 0 ? [a, b] : [b, a];
      expect((await put(one, project, `n${i}.md`, `The word here is wombat${i}.`)).status).toBe(200);
      expect(documentsIn(await search(other, project, `wombat${i}`))).toEqual([`n${i}.md`]);
      expect((await get(other, project, `n${i}.md`)).body['text']).toBe(`The word here is wombat${i}.`);
      await put(one, project, `n${i}.md`, `Now it is numbat${i}.`);
      expect(documentsIn(await search(other, project, `wombat${i}`))).toEqual([]);
      expect(documentsIn(await search(other, project, `numbat${i}`))).toEqual([`n${i}.md`]);
    }
    const list = await b.call('GET', `/projects/${project}/documents`, { user: USER });
    expect(list.body).toMatchObject({ total: 20 });
    expect((await b.call('GET', '/projects', { user: USER })).body['projects']).toEqual(
      (await a.call('GET', '/projects', { user: USER })).body['projects'],
    );
  });

  it('answer searches with the same results and scores', async () => {
    const project = await newProject();
    for (let i = 0; i < 12; i++) {
      await put(i % 2 === 0 ? a : b, project, `${i}.md`, `# Note ${i}\n\n${'harbour '.repeat(i)} ship and sea.`);
    }
    const scope = { after: '2020-01-01' };
    const [one, other] = await Promise.all(
      [a, b].map(async (server) => {
        const body = { query: 'harbour ship', limit: 20, scope };
        return (await server.call('POST', `/projects/${project}/search`, { user: USER, body })).body;
      }),
    );
    expect(one?.['results']).toHaveLength(12);
    expect(other).toEqual(one);
  });

  it('never find at one what was deleted at the other', async () => {
    const project = await newProject();
    for (let i = 0; i < 10; i++) {
      await put(a, project, 'secret.md', `The treasure${i} is under the oak.`);
      expect(documentsIn(await search(b, project, `treasure${i}`))).toEqual(['secret.md']);
      expect((await remove(a, project, 'secret.md')).body).toEqual({ deleted: true });
      expect(await search(b, project, `treasure${i} oak`)).toMatchObject({ results: [], documents: 0 });
    }
    expect((await a.call('DELETE', `/projects/${project}`, { user: USER })).body).toEqual({ deleted: true });
    const gone = await b.call('POST', `/projects/${project}/search`, { user: USER, body: { query: 'oak', limit: 1 } });
    expect(gone.status).toBe(404);
  });

  it('remove a deleted text from the index of the other without a search', async () => {
    const project = await newProject();
    await put(a, project, 'secret.md', 'The password is swordfishwombat.');
    await search(b, project, 'swordfishwombat');
    await remove(a, project, 'secret.md');
    const holds = () =>
      readdirSync(join(dir, 'b', 'filesystem'))
        .filter((name) => name.startsWith('index.sqlite'))
        .some((name) => fileHolds(join(dir, 'b', 'filesystem', name), 'swordfishwombat'));
    await until(
      async () => holds(),
      (isHeld) => !isHeld,
    );
  }, 20_000);

  it('index in the background what could not be read at first, and drop a deleted project', async () => {
    const project = await newProject();
    const files = b.app.get(DocumentFiles);
    const read = files.read.bind(files);
    files.read = () => Promise.reject(new Error('the storage is away'));
    await put(a, project, 'a.md', 'The quokka of the background.');
    await new Promise((resolve) => setTimeout(resolve, 1500));
    files.read = read;
    const holds = () => {
      const db = new DatabaseSync(join(dir, 'b', 'filesystem', 'index.sqlite'), { readOnly: true });
      try {
        return db.prepare('SELECT 1 FROM lexical_passages WHERE text LIKE ?').get('%quokka%') !== undefined;
      } finally {
        db.close();
      }
    };
    await until(
      async () => holds(),
      (isHeld) => isHeld,
    );
    await a.call('DELETE', `/projects/${project}`, { user: USER });
    await until(
      async () => holds(),
      (isHeld) => !isHeld,
    );
  }, 20_000);

  it('have one order of concurrent writes of one path', async () => {
    const project = await newProject();
    for (let round = 0; round < 10; round++) {
      const texts = Array.from({ length: 8 }, (_, i) => `round${round} number${i}`);
      const answers = await Promise.all(texts.map((text, i) => put(i % 2 === 0 ? a : b, project, 'a.md', text)));
      expect(answers.map(({ status }) => status)).toEqual(texts.map(() => 200));
      expect(answers.filter(({ body }) => body['created'])).toHaveLength(round === 0 ? 1 : 0);
      const read = await Promise.all([a, b].map((server) => get(server, project, 'a.md')));
      expect(read[1]).toEqual(read[0]);
      const winner = texts.indexOf(read[0]?.body['text'] as string);
      expect(winner).toBeGreaterThanOrEqual(0);
      for (const server of [a, b]) {
        for (const i of texts.keys()) {
          const found = await search(server, project, `"round${round} number${i}"`);
          expect(documentsIn(found)).toEqual(i === winner ? ['a.md'] : []);
        }
      }
    }
  }, 30_000);

  it('store one of two documents that may only be created', async () => {
    const project = await newProject();
    for (let i = 0; i < 10; i++) {
      const both = [a, b].map((server, n) => put(server, project, `${i}.md`, `text ${n}`, { if_match: '*' }));
      expect((await Promise.all(both)).map(({ status }) => status).sort()).toEqual([200, 412]);
    }
  });

  it('store exactly as many documents as the quota allows', async () => {
    const small = { CAUDEX__QUOTAS__DOCUMENTS: '10', DATABASE_URL: await postgres.newDatabase() };
    const more = { ...small, CAUDEX__STORAGE__DOCUMENTS_DIR: join(dir, 'small') };
    const [c, d] = [await start('c', more), await start('d', more)];
    try {
      for (const project of ['one', 'two']) {
        await c.call('POST', '/projects', { user: USER, body: { project_id: project, name: 'Notes' } });
      }
      const puts = Array.from({ length: 24 }, (_, i) =>
        put(i % 2 === 0 ? c : d, i % 3 === 0 ? 'one' : 'two', `${i}.md`, `Text ${i}.`),
      );
      const statuses = (await Promise.all(puts)).map(({ status }) => status).sort();
      expect(statuses).toEqual([...Array<number>(10).fill(200), ...Array<number>(14).fill(507)]);
      const listed = await Promise.all(
        ['one', 'two'].map((project) => c.call('GET', `/projects/${project}/documents`, { user: USER })),
      );
      expect(listed.reduce((sum, { body }) => sum + Number(body['total']), 0)).toBe(10);
      expect(filesBelow(join(dir, 'small'))).toHaveLength(10);
      const stored = (listed[0]?.body['documents'] as { path: string }[])[0]?.path as string;
      await remove(d, 'one', stored);
      expect((await put(c, 'two', 'again.md', 'There is room again.')).status).toBe(200);
      expect((await put(d, 'two', 'more.md', 'No more.')).status).toBe(507);
    } finally {
      await c.close();
      await d.close();
    }
  }, 30_000);

  it('store a turn once, in its best state, and keep it deleted', async () => {
    const putTurn = (server: Callable, message_id: string, state: string, text: string) =>
      server.call('PUT', '/conversations/c1/turns', {
        user: USER,
        body: {
          project_id: null,
          turn: {
            ...{ message_id, created_at: '2026-01-01T00:00:00.000Z', question: 'Why?\0' },
            answer: { text, state, metadata: { nul: '\0' } },
          },
        },
      });
    const states = ['pending', 'partial', 'complete', 'failed'];
    await Promise.all(
      [a, b, a, b, a, b].flatMap((server, i) =>
        states.map((state) => putTurn(server, `m${i % 3}`, state, `${state}\x1a`)),
      ),
    );
    const turns = async (server: Callable) =>
      (await server.call('GET', '/conversations/c1', { user: USER })).body['turns'] as Record<string, unknown>[];
    expect(await turns(b)).toEqual(await turns(a));
    const stored = await turns(a);
    expect(stored.map(({ message_id }) => message_id).sort()).toEqual(['m0', 'm1', 'm2']);
    for (const turn of stored) {
      expect(turn).toMatchObject({
        question: 'Why?\0',
        answer: { state: 'complete', text: 'complete\x1a', metadata: { nul: '\0' } },
      });
    }
    const drop = (server: Callable) => server.call('DELETE', '/conversations/c1/turns/m1', { user: USER });
    await Promise.all([drop(a), putTurn(b, 'm1', 'complete', 'late'), drop(b), putTurn(a, 'm1', 'complete', 'late')]);
    expect((await putTurn(b, 'm1', 'complete', 'later')).status).toBe(410);
    expect((await turns(a)).map(({ message_id }) => message_id).sort()).toEqual(['m0', 'm2']);
  });

  it('leave no turn behind where a project is deleted meanwhile', async () => {
    for (let round = 0; round < 10; round++) {
      const project = await newProject();
      const id = `gone-${round}`;
      const putTurn = (server: Callable, n: number) =>
        server.call('PUT', `/conversations/${id}/turns`, {
          user: USER,
          body: {
            project_id: n % 3 === 0 ? null : project,
            turn: {
              ...{ message_id: `m${n}`, created_at: '2026-01-01T00:00:00.000Z', question: 'Who?' },
              answer: { text: `secret of round ${round}`, state: 'complete', metadata: {} },
            },
          },
        });
      await putTurn(a, 1);
      const race = Array.from({ length: 6 }, (_, n) => putTurn(n % 2 === 0 ? a : b, n + 2));
      await Promise.all([
        ...race.slice(0, 3),
        a.call('DELETE', `/projects/${project}`, { user: USER }),
        ...race.slice(3),
      ]);
      const name = new URL(settings['DATABASE_URL'] as string).pathname.slice(1);
      const left = await postgres.query(
        `SELECT * FROM filesystem.turn AS t WHERE project_id = '${project}' OR EXISTS (SELECT 1
           FROM filesystem.conversation AS c WHERE c.conversation_id = t.conversation_id AND c.deleted)`,
        name,
      );
      expect(left).toEqual([]);
    }
  }, 30_000);

  it('delete a project with many documents and turns', async () => {
    const project = await newProject();
    const name = new URL(settings['DATABASE_URL'] as string).pathname.slice(1);
    await put(a, project, 'first.md', 'The first.');
    await postgres.query(
      `INSERT INTO filesystem.document (user_id, project_id, path, version, first_version, title, media_type, bytes,
         updated_at, file, sha256, arrived_ms, stored_bytes, change)
       SELECT user_id, project_id, n || '.md', version, first_version, title, media_type, bytes, updated_at, 'none', sha256,
         arrived_ms, stored_bytes, change + n FROM filesystem.document, generate_series(1, 12000) AS n
         WHERE project_id = '${project}'`,
      name,
    );
    await postgres.query(
      `UPDATE filesystem.usage SET documents = documents + 12000,
         bytes = bytes + 12000 * (SELECT stored_bytes FROM filesystem.document WHERE project_id = '${project}' LIMIT 1)`,
      name,
    );
    const usage = () => postgres.query('SELECT documents, bytes FROM filesystem.usage', name);
    const sum = () =>
      postgres.query('SELECT count(*) AS documents, sum(stored_bytes)::bigint AS bytes FROM filesystem.document', name);
    expect(await usage()).toEqual(await sum());
    expect((await b.call('DELETE', `/projects/${project}`, { user: USER })).body).toEqual({ deleted: true });
    expect(await postgres.query(`SELECT 1 FROM filesystem.document WHERE project_id = '${project}'`, name)).toEqual([]);
    expect(await usage()).toEqual(await sum());
  }, 30_000);

  it('build the index of a new one, and say what it lacks meanwhile', async () => {
    const project = await newProject();
    await Promise.all(
      Array.from({ length: 60 }, (_, i) => put(a, project, `${i}.md`, `# Note ${i}\n\nThe okapi number ${i}.`)),
    );
    const c = await start('new');
    try {
      const files = c.app.get(DocumentFiles);
      const read = files.read.bind(files);
      // As if the shared storage were slow.
      files.read = async (...args) => {
        await new Promise((resolve) => setTimeout(resolve, 100));
        return read(...args);
      };
      const early = await search(c, project, 'okapi');
      expect(early.documents).toBe(60);
      expect(early.not_indexed).toBeGreaterThan(0);
      expect(early.results.length).toBeLessThan(60);
      files.read = read;
      const isComplete = ({ not_indexed }: Found) => not_indexed === undefined;
      expect(await until(() => search(c, project, 'okapi'), isComplete)).toEqual(await search(a, project, 'okapi'));
    } finally {
      await c.close();
    }
  }, 30_000);

  it('never show a deleted text while an index is behind', async () => {
    const project = await newProject();
    await put(a, project, 'old.md', 'The narwhal of yesterday.');
    await search(b, project, 'narwhal');
    const files = b.app.get(DocumentFiles);
    const read = files.read.bind(files);
    files.read = async () => new Promise((_, reject) => setTimeout(() => reject(new Error('the storage hangs')), 3000));
    try {
      await put(a, project, 'new.md', 'The narwhal of today.');
      const behind = search(b, project, 'narwhal');
      await new Promise((resolve) => setTimeout(resolve, 300));
      await remove(a, project, 'old.md');
      expect(await behind).toMatchObject({ results: [], documents: 1, not_indexed: 1 });
    } finally {
      files.read = read;
    }
    const found = await until(
      () => search(b, project, 'narwhal'),
      ({ not_indexed }) => not_indexed === undefined,
    );
    expect(documentsIn(found)).toEqual(['new.md']);
  }, 20_000);

  it('do not remove a file that the other is writing, and remove old ones', async () => {
    const project = await newProject();
    await put(a, project, 'a.md', 'kept');
    const folder = join(dir, 'documents', USER, 'f'.repeat(32));
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'old'), 'left over');
    writeFileSync(join(folder, 'new.tmp'), 'being written');
    const hourAgo = (Date.now() - 2 * 3_600_000) / 1000;
    utimesSync(join(folder, 'old'), hourAgo, hourAgo);
    const name = new URL(settings['DATABASE_URL'] as string).pathname.slice(1);
    await postgres.query("UPDATE filesystem.installation SET swept_at = '-infinity'", name);
    const before = filesBelow(join(dir, 'documents')).length;
    const stores = [a, b].map((server) => server.app.get(FilesystemStores));
    await Promise.all(stores.map((store, i) => store.sweep(([a, b][i] as ServerUnderTest).app.get(DocumentFiles))));
    await until(
      async () => readdirSync(folder),
      (names) => names.length === 1,
    );
    expect(readdirSync(folder)).toEqual(['new.tmp']);
    expect(filesBelow(join(dir, 'documents'))).toHaveLength(before - 1);
  });

  it('does not start on the folder of another database, nor on another folder', async () => {
    const other = { DATABASE_URL: await postgres.newDatabase() };
    await expect(start('c', other)).rejects.toThrow(/storage\.documents_dir: .* is not the folder/);
    const elsewhere = { CAUDEX__STORAGE__DOCUMENTS_DIR: join(dir, 'elsewhere') };
    await expect(start('c', elsewhere)).rejects.toThrow(/storage\.documents_dir: .* is not the folder/);
    expect(readdirSync(join(dir, 'elsewhere'))).toEqual([]);
  });

  it('keep every acknowledged document where one is killed, none of them half', async () => {
    const project = await newProject();
    const killed = await ServerProcess.start('filesystem', { ...settings, DATA_DIR: join(dir, 'killed') });
    const stored: string[] = [];
    let next = 0;
    const textOf = (n: number) => `The word here is kill${n}. ${'filler '.repeat(n % 50)}`;
    const writer = async () => {
      while (next < 500) {
        const n = next++;
        const body = { version: `v${n}`, media_type: 'text/markdown', text: textOf(n) };
        const { status } = await killed.call('PUT', at(project, `${n}.md`), USER, body);
        expect(status).toBe(200);
        stored.push(`${n}.md`);
        if (stored.length === 200) void killed.end('SIGKILL');
      }
    };
    await Promise.allSettled(Array.from({ length: 8 }, writer));
    await killed.end('SIGKILL');
    expect(stored.length).toBeGreaterThanOrEqual(200);
    expect(stored.length).toBeLessThan(500);
    const list = await b.call('GET', `/projects/${project}/documents?limit=1000`, { user: USER });
    const listed = (list.body['documents'] as { path: string }[]).map(({ path }) => path);
    expect(listed).toEqual(expect.arrayContaining(stored));
    for (const path of listed) {
      const n = Number.parseInt(path, 10);
      expect((await get(b, project, path)).body['text']).toBe(textOf(n));
    }
    await until(
      () => search(b, project, 'kill7'),
      ({ not_indexed }) => not_indexed === undefined,
    );
    for (const path of listed) {
      expect(documentsIn(await search(b, project, `kill${Number.parseInt(path, 10)}`))).toEqual([path]);
    }
  }, 90_000);

  it('have the id of the database, so that a caller takes neither for a lost store', async () => {
    const idOf = async (server: ServerUnderTest) =>
      (await fetch(`${server.url}/inventory`, { headers: { [HEADER.internalToken]: server.token } })).headers.get(
        HEADER.instance,
      );
    const before = await idOf(a);
    expect(before).toMatch(/^[0-9a-f]{32}$/);
    expect(await idOf(b)).toBe(before);
    await postgres.halt();
    await postgres.resume();
    const after = await until(
      () => idOf(a),
      (id) => id !== before,
    );
    await until(
      () => idOf(b),
      (id) => id === after,
    );
  }, 20_000);

  it('tell what either recognised, and what waits', async () => {
    const project = await newProject();
    const waiting = (server: Callable) => server.call('GET', `/projects/${project}/recognition`, { user: USER });
    const picture = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex').toString('base64');
    const body = { version: 'scan', media_type: 'image/png', content_base64: picture };
    const { waits } = a.app.get(BackgroundRecognition);
    a.app.get(BackgroundRecognition).waits = () => undefined;
    expect((await a.call('PUT', at(project, 'scan.png'), { user: USER, body })).status).toBe(200);
    a.app.get(BackgroundRecognition).waits = waits;
    for (const server of [a, b]) expect((await waiting(server)).body).toEqual({ documents: 1, pages: 1 });
    const told = async () => (await b.call('GET', '/recognised?after_ms=0', {})).body;
    expect(await told()).toMatchObject({ documents: [], pending: 1 });
    const key = { userId: USER, projectId: project };
    const change = () => ({ text: 'The recognised kiwi.', pages: [], warnings: [] });
    expect(await a.app.get(DocumentWriter).rewrite(key, 'scan.png', 'scan', change)).toMatchObject({
      version: 'scan.1',
    });
    expect(await b.app.get(DocumentWriter).rewrite(key, 'scan.png', 'scan', change)).toBeUndefined();
    expect(documentsIn(await search(b, project, 'kiwi'))).toEqual(['scan.png']);
    expect((await b.call('GET', `/projects/${project}/original?path=scan.png`, { user: USER })).status).toBe(200);
    expect((await waiting(b)).body).toEqual({ documents: 0, pages: 0 });
    expect(await told()).toMatchObject({ pending: 1 });
    const found = await until(told, ({ pending }) => pending === 0);
    const document = { user_id: USER, project_id: project, path: 'scan.png', version: 'scan.1' };
    expect(found['documents']).toEqual([document]);
    const next = await b.call('GET', `/recognised?after_ms=${String(found['until_ms'])}`, {});
    expect(next.body).toMatchObject({ documents: [], pending: 0 });
  }, 20_000);

  it('go on by themselves after the database was away, and compare their indexes with it', async () => {
    const project = await newProject();
    await put(a, project, 'before.md', 'The lemur before.');
    await search(b, project, 'lemur');
    await postgres.halt();
    const busy = { status: 503, body: { code: 'storage_busy' } };
    expect(await put(a, project, 'during.md', 'The lemur during.')).toMatchObject(busy);
    expect(await get(b, project, 'before.md')).toMatchObject(busy);
    await postgres.resume();
    // As if the database had been restored to a state before.
    const name = new URL(settings['DATABASE_URL'] as string).pathname.slice(1);
    await postgres.query("DELETE FROM filesystem.document WHERE path = 'before.md'", name);
    expect((await put(a, project, 'after.md', 'The lemur after.')).status).toBe(200);
    expect(documentsIn(await search(b, project, 'lemur'))).toEqual(['after.md']);
    // As if it had been restored without a restart.
    await postgres.query(`UPDATE filesystem.project SET change = change - 1 WHERE project_id = '${project}'`, name);
    await postgres.query("DELETE FROM filesystem.document WHERE path = 'after.md'", name);
    expect(documentsIn(await search(b, project, 'lemur'))).toEqual([]);
  }, 30_000);
});

async function until<T>(look: () => Promise<T>, isDone: (value: T) => boolean): Promise<T> {
  const endMs = performance.now() + 10_000;
  for (;;) {
    const value = await look();
    if (isDone(value)) return value;
    if (performance.now() > endMs) throw new Error(`still ${JSON.stringify(value)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function fileHolds(file: string, text: string): boolean {
  return readFileSync(file).includes(text);
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
    (name) => !name.startsWith('.') && statSync(join(folder, name)).isFile(),
  );
}

import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EmbeddedStores } from '../src/downstream/filesystem/server/embedded-stores.js';
import { FilesystemServerModule } from '../src/downstream/filesystem/server/filesystem-server.module.js';
import type { DocumentRow } from '../src/downstream/filesystem/server/documents/document-row.js';
import { DocumentFiles } from '../src/downstream/filesystem/server/files/document-files.js';
import { FilesystemStores } from '../src/downstream/filesystem/server/filesystem-stores.js';
import { TrashService } from '../src/downstream/filesystem/server/trash/trash.service.js';
import { describeWithPostgres, PostgresServer } from '../src/storage/postgres/testing/postgres-server.js';
import { docx, paragraph, pdf } from './sample-files.js';
import { type ServerUnderTest, startForTest } from './server-under-test.js';

describe('on SQLite', () => behaviour(async () => ({}), true));

describeWithPostgres('on PostgreSQL', () => {
  let postgres: PostgresServer;
  beforeAll(async () => {
    postgres = await PostgresServer.start();
  });
  afterAll(() => postgres.stop());
  behaviour(async () => ({ DATABASE_URL: await postgres.newDatabase() }), false);
});

function behaviour(settings: () => Promise<Record<string, string>>, isEmbedded: boolean): void {
  let server: ServerUnderTest;
  beforeAll(async () => {
    server = await startForTest('filesystem', FilesystemServerModule, await settings());
  });
  afterAll(() => server.close());

  let count = 0;
  const at = (path: string) => `?path=${encodeURIComponent(path)}`;
  const put = (project: string, path: string, body: object, user = 'ada') =>
    server.call('PUT', `/projects/${project}/document${at(path)}`, {
      user,
      body: { version: `v${++count}`, media_type: 'text/markdown', ...body },
    });
  const get = (project: string, path: string, user = 'ada') =>
    server.call('GET', `/projects/${project}/document${at(path)}`, { user });
  const search = async (project: string, query: string, user = 'ada') =>
    (await server.call('POST', `/projects/${project}/search`, { user, body: { query, limit: 10 } })).body as {
      results: { document: string; text: string; title: string; highlights: string[]; start: number; end: number }[];
      total: number;
      documents: number;
    };
  const makeProject = async (user = 'ada') => {
    const project_id = `p${++count}`;
    await server.call('POST', '/projects', { user, body: { project_id, name: 'Notes' } });
    return project_id;
  };

  describe('projects', () => {
    it('are created once, listed, and deleted for good', async () => {
      const make = (body: object) => server.call('POST', '/projects', { user: 'eve', body });
      const project = { project_id: 'one', name: 'First' };
      expect(await make(project)).toMatchObject({ status: 201, body: { ...project, documents: 0 } });
      expect(await make(project)).toMatchObject({ status: 201, body: project });
      expect(await make({ ...project, name: 'Other' })).toMatchObject({
        status: 409,
        body: { code: 'project_exists' },
      });
      await put('one', 'a.md', { text: 'elephants' }, 'eve');
      expect((await server.call('GET', '/projects', { user: 'eve' })).body).toMatchObject({
        total: 1,
        projects: [{ ...project, documents: 1 }],
      });
      const drop = () => server.call('DELETE', '/projects/one', { user: 'eve' });
      expect(await drop()).toEqual({ status: 200, body: { deleted: true } });
      expect(await drop()).toEqual({ status: 200, body: { deleted: true } });
      const unseen = await server.call('DELETE', '/projects/never', { user: 'eve' });
      expect(unseen).toEqual({ status: 200, body: { deleted: false } });
      expect(await make(project)).toMatchObject({ status: 410, body: { code: 'deleted' } });
      expect(await put('one', 'a.md', { text: 'x' }, 'eve')).toMatchObject({ status: 410 });
      expect(await get('one', 'a.md', 'eve')).toMatchObject({ status: 404 });
    });

    it.each([
      ['', 'invalid_request'],
      ['  ', 'invalid_name'],
      ['x'.repeat(201), 'invalid_name'],
      ['two\nlines', 'invalid_name'],
    ])('can not be called %j', async (name, code) => {
      const answer = await server.call('POST', '/projects', { user: 'ada', body: { project_id: 'named', name } });
      expect(answer).toMatchObject({ status: 400, body: { code } });
    });
  });

  describe('documents that are moved', () => {
    const move = (project: string, body: object) =>
      server.call('POST', `/projects/${project}/move`, { user: 'ada', body: { version: 'm', ...body } });

    it('are found under the new path by the words of both its text and its name', async () => {
      const project = await makeProject();
      const { body } = await put(project, 'a/plain.md', { text: 'Buy a boat.' });
      const paths = { from: 'a/plain.md', to: 'b/harbour.md' };
      const moved = { ...paths, version: 'm', from_version: body['version'] };
      expect(await move(project, paths)).toEqual({ status: 200, body: { moved: [moved] } });
      for (const query of ['boat', 'harbour']) {
        expect((await search(project, query)).results.map(({ document }) => document)).toEqual(['b/harbour.md']);
      }
      expect((await search(project, 'plain')).total).toBe(0);
      expect(await get(project, 'b/harbour.md')).toMatchObject({
        body: { title: 'harbour.md', updated_at: body['updated_at'], text: 'Buy a boat.' },
      });
      // A repetition, whose first answer was lost, gets the same documents.
      expect(await move(project, paths)).toMatchObject({ status: 200, body: { moved: [{ ...paths, version: 'm' }] } });
      expect(await move(project, { ...paths, version: 'n' })).toMatchObject({ status: 404 });
    });

    it('lose to a change that came in later, and win over one that came in before', async () => {
      const project = await makeProject();
      await put(project, 'a.md', { text: 'One.', arrived_ms: 5000 });
      const paths = { from: 'a.md', to: 'b.md' };
      expect(await move(project, { ...paths, arrived_ms: 4000 })).toMatchObject({
        status: 409,
        body: { code: 'superseded' },
      });
      expect(await move(project, { ...paths, arrived_ms: 7000 })).toMatchObject({ status: 200 });
      expect(await put(project, 'a.md', { text: 'Late.', arrived_ms: 6000 })).toMatchObject({ status: 409 });
      expect(await put(project, 'b.md', { text: 'Late.', arrived_ms: 6000 })).toMatchObject({ status: 409 });
    });

    it('are up to 1000 in one call', async () => {
      const project = await makeProject();
      for (let n = 0; n < 1001; n++) await put(project, `a/${n}.md`, { text: `Note ${n}.` });
      expect(await move(project, { from: 'a/', to: 'b/' })).toMatchObject({
        status: 413,
        body: { code: 'too_many_documents', detail: expect.stringContaining('1000') },
      });
      await server.call('DELETE', `/projects/${project}/document${at('a/0.md')}`, { user: 'ada' });
      const answer = await move(project, { from: 'a/', to: 'b/' });
      expect(answer.body['moved']).toHaveLength(1000);
    }, 120_000);
  });

  describe('documents in one call', () => {
    const putAll = (project: string, documents: object[]) =>
      server.call('PUT', `/projects/${project}/documents`, {
        user: 'ada',
        body: { documents: documents.map((one) => ({ version: `v${++count}`, media_type: 'text/markdown', ...one })) },
      });
    const readAll = (project: string, paths: string[]) =>
      server.call('POST', `/projects/${project}/documents/read`, { user: 'ada', body: { paths } });

    it('are stored each like a single one, and those that are refused stop no other one', async () => {
      const project = await makeProject();
      await put(project, 'same.md', { text: 'Same.' });
      await put(project, 'later.md', { text: 'Later.', arrived_ms: 9000 });
      const same = (await get(project, 'same.md')).body;
      const { status, body } = await putAll(project, [
        { path: 'a.md', text: '# Pelicans\n\nPelicans fish.', version: 'va' },
        { path: '../b.md', text: 'b' },
        { path: 'same.md', text: 'Same.' },
        { path: 'later.md', text: 'Late.', arrived_ms: 8000 },
        { path: 'c.pdf', text: 'c', media_type: 'application/pdf' },
        { path: 'large.md', text: 'A large text. '.repeat(10_000) },
      ]);
      expect(status).toBe(200);
      expect(body['documents']).toEqual([
        expect.objectContaining({ path: 'a.md', version: 'va', title: 'Pelicans', created: true, changed: true }),
        expect.objectContaining({ path: '../b.md', status: 400, code: 'invalid_path' }),
        expect.objectContaining({ path: 'same.md', version: same['version'], created: false, changed: false }),
        expect.objectContaining({ path: 'later.md', status: 409, code: 'superseded' }),
        expect.objectContaining({ path: 'c.pdf', status: 415 }),
        expect.objectContaining({ path: 'large.md', bytes: 140_000, created: true }),
      ]);
      expect((await search(project, 'pelicans')).results[0]).toMatchObject({ document: 'a.md' });
      expect(await get(project, 'later.md')).toMatchObject({ body: { text: 'Later.' } });
    });

    it('are stored once where the call is repeated, and leave no file that no document has', async () => {
      const project = await makeProject();
      const documents = ['a', 'b', 'c'].map((path) => ({ path, text: `Text of ${path}.`, version: `v-${path}` }));
      const first = await putAll(project, documents);
      expect((await putAll(project, documents)).body).toEqual(first.body);
      const changed = documents.map((one) => ({ ...one, text: `${one.text} Changed.`, version: `${one.version}2` }));
      await putAll(project, changed);
      const stores = server.app.get(FilesystemStores);
      const files = server.app.get(DocumentFiles);
      expect((await files.sweep(stores.documents.files(), 0)).removed).toBe(0);
      expect((await get(project, 'b')).body).toMatchObject({ text: 'Text of b. Changed.', version: 'v-b2' });
    });

    it('are refused together with two of one path, and for a project that is deleted or was never there', async () => {
      const project = await makeProject();
      const twice = [
        { path: 'a', text: 'x' },
        { path: 'a', text: 'y' },
      ];
      expect(await putAll(project, twice)).toMatchObject({ status: 400 });
      expect(await putAll('never', [{ path: 'a', text: 'x' }])).toMatchObject({ status: 404 });
      await server.call('DELETE', `/projects/${project}`, { user: 'ada' });
      expect(await putAll(project, [{ path: 'a', text: 'x' }])).toMatchObject({ status: 410 });
      expect(await readAll('never', ['a'])).toMatchObject({ status: 404 });
    });

    it('are read together as far as one answer goes', async () => {
      const project = await makeProject();
      const text = 'x'.repeat(600_000);
      for (const path of ['a', 'b']) await put(project, path, { text });
      await put(project, 'c', { text: 'c' });
      const paths = async (asked: string[]) => {
        const { documents } = (await readAll(project, asked)).body as { documents: { path: string; text?: string }[] };
        return documents.map((document) => [document.path, document.text?.length]);
      };
      expect(await paths(['c', 'missing', 'a', 'b'])).toEqual([
        ['c', 1],
        ['missing', undefined],
        ['a', 600_000],
      ]);
      await put(project, 'huge', { text: 'x'.repeat(1_200_000) });
      expect(await paths(['huge', 'c'])).toEqual([['huge', 1_200_000]]);
    });
  });

  describe('tags', () => {
    const tag = (project: string, path: string, tags: string[], user = 'ada') =>
      server.call('PUT', `/projects/${project}/document/tags${at(path)}`, { user, body: { tags } });
    const found = async (project: string, query: string) =>
      (await search(project, query)).results.map(({ document }) => document).sort();

    it('are found beside those of the front matter, and stay with further versions, moves and restorations', async () => {
      const project = await makeProject();
      await put(project, 'a.md', { text: '---\ntags: [garden]\n---\nPelicans fish.' });
      await put(project, 'b.md', { text: 'Pelicans sleep.' });
      expect(await tag(project, 'a.md', ['#Tax 2026 ', 'tax 2026', 'Birds'])).toMatchObject({
        status: 200,
        body: { path: 'a.md', tags: ['tax 2026', 'birds'] },
      });
      const everywhere = async (path: string) => {
        expect(await found(project, 'tag:birds')).toEqual([path]);
        expect(await found(project, 'tag:"tax 2026" pelicans')).toEqual([path]);
        expect((await get(project, path)).body).toMatchObject({ tags: ['tax 2026', 'birds'] });
      };
      await everywhere('a.md');
      expect(await found(project, 'tag:garden')).toEqual(['a.md']);
      await put(project, 'a.md', { text: 'Pelicans dive.' });
      await everywhere('a.md');
      expect(await found(project, 'tag:garden')).toEqual([]);
      const moved = { from: 'a.md', to: 'c.md', version: `v${++count}` };
      await server.call('POST', `/projects/${project}/move`, { user: 'ada', body: moved });
      await everywhere('c.md');
      await server.call('DELETE', `/projects/${project}/document${at('c.md')}&trash=true`, { user: 'ada' });
      expect(await found(project, 'tag:birds')).toEqual([]);
      const version = `v${++count}`;
      await server.call('POST', `/projects/${project}/trash/restore${at('c.md')}`, { user: 'ada', body: { version } });
      await everywhere('c.md');
      await tag(project, 'c.md', []);
      expect(await found(project, 'tag:birds')).toEqual([]);
      expect((await get(project, 'c.md')).body).not.toHaveProperty('tags');
    });

    it('are refused for a document that is not there, and where they are no tags', async () => {
      const project = await makeProject();
      await put(project, 'a.md', { text: 'x' });
      expect(await tag(project, 'b.md', ['x'])).toMatchObject({ status: 404 });
      expect(await tag(project, 'a.md', ['x'], 'bob')).toMatchObject({ status: 404 });
      for (const tags of [[' # '], ['a\nb'], ['x'.repeat(101)], Array<string>(51).fill('x')]) {
        expect(await tag(project, 'a.md', tags)).toMatchObject({ status: 400 });
      }
    });
  });

  describe('the trash', () => {
    const remove = (project: string, path: string, query = '&trash=true') =>
      server.call('DELETE', `/projects/${project}/document${at(path)}${query}`, { user: 'ada' });
    const restore = (project: string, path: string, body: object) =>
      server.call('POST', `/projects/${project}/trash/restore${at(path)}`, { user: 'ada', body });
    const listed = async (project: string) =>
      (await server.call('GET', `/projects/${project}/trash`, { user: 'ada' })).body;

    it('gives a repetition of a restoration, whose first answer was lost, the same document', async () => {
      const project = await makeProject();
      await put(project, 'a.md', { text: 'Pelicans fish.' });
      expect(await remove(project, 'a.md')).toEqual({ status: 200, body: { deleted: true } });
      expect((await search(project, 'pelicans')).results).toEqual([]);
      const first = await restore(project, 'a.md', { version: 'restored' });
      expect(first).toMatchObject({ status: 200, body: { version: 'restored', created: true, changed: true } });
      expect(await restore(project, 'a.md', { version: 'restored' })).toEqual(first);
      expect(await restore(project, 'a.md', { version: 'other' })).toMatchObject({ status: 404 });
      expect((await search(project, 'pelicans')).results).toHaveLength(1);
    });

    it('loses a document with its files when its time is over', async () => {
      const project = await makeProject();
      for (const path of ['old.md', 'new.md']) await put(project, path, { text: `The text of ${path}.` });
      const { documents } = server.app.get(FilesystemStores);
      const key = { userId: 'ada', projectId: project };
      const { file, sha256 } = (await documents.find(key, 'old.md')) as DocumentRow;
      const days = (n: number) => new Date(Date.now() - n * 86_400_000).toISOString();
      await documents.delete(key, 'old.md', Date.now(), days(30.01));
      await documents.delete(key, 'new.md', Date.now(), days(29.99));
      const files = server.app.get(DocumentFiles);
      expect((await files.read(key, { file, sha256 })).toString()).toBe('The text of old.md.');
      const trash = server.app.get(TrashService);
      trash.onApplicationBootstrap();
      await trash.onApplicationShutdown();
      expect(await listed(project)).toMatchObject({ total: 1, documents: [{ path: 'new.md' }] });
      await expect(files.read(key, { file, sha256 })).rejects.toThrow(file);
    });

    it('takes documents of another trash once, for what is left of their time or for all of it', async () => {
      const project = await makeProject();
      const bring = (path: string, version: string, deleted_at: string, more: object = { text: 'Pelicans fish.' }) =>
        server.call('PUT', `/projects/${project}/trash/document${at(path)}`, {
          user: 'ada',
          body: { version, deleted_at, media_type: 'text/plain', tags: ['Bird'], ...more },
        });
      const recently = new Date(Date.now() - 86_400_000).toISOString();
      for (const stored of [true, false]) {
        expect(await bring('a.md', 'one', recently)).toEqual({ status: 200, body: { stored } });
      }
      const latin = { media_type: 'text/plain; charset=latin1', text: undefined, content_base64: 'ROtz' };
      expect(await bring('b.txt', 'two', '2001-02-03T04:05:06.000Z', latin)).toMatchObject({ body: { stored: true } });
      const trash = await listed(project);
      expect(trash).toMatchObject({
        total: 2,
        documents: [
          { path: 'b.txt', tags: ['bird'] },
          { path: 'a.md', deleted_at: recently },
        ],
      });
      const read = (path: string, version: string) =>
        server.call('GET', `/projects/${project}/trash/document${at(path)}&version=${version}`, { user: 'ada' });
      expect((await read('b.txt', 'two')).body).toMatchObject({
        text: 'Dës',
        original: { media_type: 'text/plain; charset=latin1', content_base64: 'ROtz' },
      });
      expect(await read('b.txt', 'one')).toMatchObject({ status: 404 });
      expect((await search(project, 'pelicans')).results).toEqual([]);
      expect(await restore(project, 'a.md', { version: 'again' })).toMatchObject({ body: { tags: ['bird'] } });
      expect(
        await bring('c.pdf', 'x', recently, { media_type: 'application/pdf', text: undefined, content_base64: 'AAAA' }),
      ).toMatchObject({
        status: 422,
        body: { code: 'unreadable_document' },
      });
    });

    it('is refused where the configuration has none, and then nothing is deleted', async () => {
      const other = await startForTest('filesystem', FilesystemServerModule, { CAUDEX__DOCUMENTS__TRASH_DAYS: '0' });
      const call = (method: string, path: string, body?: object) => other.call(method, path, { user: 'ada', body });
      await call('POST', '/projects', { project_id: 'p', name: 'Notes' });
      await call('PUT', `/projects/p/document${at('a.md')}`, { version: 'v', media_type: 'text/plain', text: 'x' });
      expect(await call('DELETE', `/projects/p/document${at('a.md')}&trash=true`)).toMatchObject({
        status: 422,
        body: { code: 'trash_off', detail: expect.stringContaining('documents.trash_days') },
      });
      expect(await call('GET', `/projects/p/document${at('a.md')}`)).toMatchObject({ status: 200 });
      await other.close();
    });
  });

  describe('documents', () => {
    it('are stored, changed, listed and deleted', async () => {
      const project = await makeProject();
      const first = await put(project, 'notes/plan.md', { version: 'a', text: '# The plan\n\nBuy a boat.' });
      expect(first).toMatchObject({
        status: 200,
        body: { path: 'notes/plan.md', version: 'a', title: 'The plan', bytes: 23, created: true, changed: true },
      });
      const same = await put(project, 'notes/plan.md', { version: 'b', text: '# The plan\n\nBuy a boat.' });
      expect(same.body).toMatchObject({ version: 'a', created: false, changed: false });
      const changed = await put(project, 'notes/plan.md', { version: 'c', text: 'Sell the boat.' });
      expect(changed.body).toMatchObject({ version: 'c', created: false, changed: true });
      expect((await get(project, 'notes/plan.md')).body).toMatchObject({ version: 'c', text: 'Sell the boat.' });
      await put(project, 'other.txt', { text: 'x', media_type: 'text/plain; charset=utf-8' });
      const list = await server.call('GET', `/projects/${project}/documents?prefix=notes/`, { user: 'ada' });
      expect(list.body).toMatchObject({ total: 1, documents: [{ path: 'notes/plan.md' }] });
      const drop = () => server.call('DELETE', `/projects/${project}/document${at('notes/plan.md')}`, { user: 'ada' });
      expect((await drop()).body).toEqual({ deleted: true });
      expect((await drop()).body).toEqual({ deleted: true });
      const unseen = await server.call('DELETE', `/projects/${project}/document${at('never.md')}`, { user: 'ada' });
      expect(unseen.body).toEqual({ deleted: false });
      expect(await get(project, 'notes/plan.md')).toMatchObject({ status: 404, body: { code: 'not_found' } });
    });

    it('give the same answer to a repeated call', async () => {
      const project = await makeProject();
      const request = { version: 'a', text: 'one', if_match: '*' };
      const first = await put(project, 'a.md', request);
      expect(await put(project, 'a.md', request)).toEqual(first);
      expect(await put(project, 'a.md', { version: 'a', text: 'two' })).toMatchObject({
        status: 409,
        body: { code: 'version_taken' },
      });
    });

    it('change only if the named version is current', async () => {
      const project = await makeProject();
      const conflict = { status: 412, body: { code: 'version_conflict' } };
      expect(await put(project, 'a.md', { version: 'b', text: 'two', if_match: 'a' })).toMatchObject(conflict);
      await put(project, 'a.md', { version: 'a', text: 'one' });
      expect(await put(project, 'a.md', { version: 'b', text: 'two', if_match: '*' })).toMatchObject(conflict);
      expect(await put(project, 'a.md', { version: 'b', text: 'two', if_match: 'a' })).toMatchObject({ status: 200 });
    });

    it.each([
      ['/etc/passwd', 'begins with /'],
      ['a/../../b', 'the segment ".."'],
      ['./a', 'the segment "."'],
      ['a//b', 'empty segment'],
      ['a/', 'ends with /'],
      ['a\\b', 'backslash'],
      ['a\0b', 'control character'],
      ['x'.repeat(256), '256 characters'],
      ['e\u0301.md', 'NFC'],
    ])('refuse the path %j', async (path, detail) => {
      const answer = await put('any', path, { text: 'x' });
      expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_path' } });
      expect(answer.body['detail']).toContain(detail);
    });

    it('refuse binary text, and uploads with both or neither of text and bytes', async () => {
      const project = await makeProject();
      expect(await put(project, 'a', {})).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
      expect(await put(project, 'a', { text: '', content_base64: '' })).toMatchObject({ status: 400 });
      expect(await put(project, 'a', { text: '\ud800' })).toMatchObject({
        status: 400,
        body: { code: 'invalid_text' },
      });
      expect(await put(project, 'a', { text: 'x', media_type: 'image/png' })).toMatchObject({
        status: 415,
        body: { code: 'unsupported_media_type' },
      });
    });

    it('are found by their words, at their position, until they are deleted', async () => {
      const project = await makeProject();
      const text = '# Boats\n\nThe old ferry crosses the river every morning. It is painted green.\n';
      await put(project, 'boats.md', { text });
      await put(project, 'cars.md', { text: '# Cars\n\nA car drives on the road.' });
      const { results, total, documents } = await search(project, 'ferries crossing');
      expect({ total, documents }).toEqual({ total: 1, documents: 2 });
      expect(results[0]).toMatchObject({
        document: 'boats.md',
        title: 'Boats',
        highlights: ['The old ferry crosses the river every morning.'],
      });
      const explained = await server.call('POST', `/projects/${project}/search`, {
        user: 'ada',
        body: { query: 'ferryy', limit: 10, explain: true },
      });
      expect(explained.body).toMatchObject({
        results: [{ explain: { lists: [{ list: 'words', place: 1 }], words: ['ferry'], meaning: null } }],
        corrections: [{ from: 'ferryy', to: 'ferry' }],
      });
      expect(results[0]).not.toHaveProperty('explain');
      const [{ start, end, text: found }] = results as [(typeof results)[number]];
      expect(text.slice(start, end)).toBe(found);
      await put(project, 'boats.md', { text: 'Nothing is left.' });
      expect((await search(project, 'ferry')).total).toBe(0);
      expect((await search(project, 'nothing left')).total).toBe(1);
      await server.call('DELETE', `/projects/${project}/document${at('boats.md')}`, { user: 'ada' });
      expect(await search(project, 'nothing left')).toMatchObject({ total: 0, documents: 1 });
    });

    it('are extracted from files, and the files are stored', async () => {
      const project = await makeProject();
      const original = (path: string) =>
        server.call('GET', `/projects/${project}/original${at(path)}`, { user: 'ada' });
      const html = Buffer.from('<h1>Moles</h1><p>A mole digs <b>tunnels</b>.</p>').toString('base64');
      const stored = await put(project, 'moles.html', { media_type: 'text/html', content_base64: html });
      expect(stored).toMatchObject({ status: 200, body: { title: 'Moles', media_type: 'text/html' } });
      expect((await get(project, 'moles.html')).body).toMatchObject({ text: '# Moles\n\nA mole digs tunnels.' });
      expect((await search(project, 'tunnel')).results).toMatchObject([{ document: 'moles.html', title: 'Moles' }]);
      expect((await original('moles.html')).body).toEqual({
        ...{ path: 'moles.html', media_type: 'text/html', readable: true, content_base64: html },
      });
      const page = pdf('Badgers live in setts.').toString('base64');
      expect(await put(project, 'badgers.pdf', { media_type: 'application/pdf', content_base64: page })).toMatchObject({
        status: 200,
      });
      const letter = docx(paragraph('Otters', 'Heading1') + paragraph('They swim.')).toString('base64');
      const type = 'application/vnd.openxmlformats-officedocument.wordprocessingml.document';
      expect(await put(project, 'otters.docx', { media_type: type, content_base64: letter })).toMatchObject({
        body: { title: 'Otters' },
      });
      expect((await search(project, 'badger')).results[0]).toMatchObject({ text: 'Badgers live in setts.' });
      expect((await search(project, 'otters swimming')).results[0]).toMatchObject({ document: 'otters.docx' });
      await put(project, 'plain.md', { content_base64: Buffer.from('plain').toString('base64') });
      expect((await get(project, 'plain.md')).body).toMatchObject({ text: 'plain' });
      expect(await original('plain.md')).toMatchObject({ status: 404 });
    });

    it('are stored also where no text can be extracted, and never replace a readable one', async () => {
      const project = await makeProject();
      const original = () => server.call('GET', `/projects/${project}/original${at('a.pdf')}`, { user: 'ada' });
      const broken = { media_type: 'application/pdf', content_base64: Buffer.from('%PDF-1.7 cut').toString('base64') };
      await put(project, 'a.pdf', { text: 'the good one' });
      const answer = await put(project, 'a.pdf', broken);
      expect(answer).toMatchObject({ status: 422, body: { code: 'unreadable_document' } });
      expect(answer.body['detail']).toMatch(/a\.pdf: it is not a PDF that can be read/);
      expect((await get(project, 'a.pdf')).body).toMatchObject({ text: 'the good one' });
      expect((await original()).body).toMatchObject({ readable: false, content_base64: broken.content_base64 });
      await put(project, 'a.pdf', { text: 'better' });
      expect(await original()).toMatchObject({ status: 404 });
    });

    it('never go back to an earlier change, however late it is stored', async () => {
      const project = await makeProject();
      const now = Date.now();
      const superseded = { status: 409, body: { code: 'superseded' } };
      expect(await put(project, 'plan.md', { text: 'new', arrived_ms: now })).toMatchObject({ status: 200 });
      expect(await put(project, 'plan.md', { text: 'old', arrived_ms: now - 25_000 })).toMatchObject(superseded);
      const broken = { media_type: 'application/pdf', content_base64: 'AAAA', arrived_ms: now - 25_000 };
      expect(await put(project, 'plan.md', broken)).toMatchObject(superseded);
      expect((await get(project, 'plan.md')).body).toMatchObject({ text: 'new' });
      const remove = (arrivedMs: number) =>
        server.call('DELETE', `/projects/${project}/document${at('plan.md')}&arrived_ms=${arrivedMs}`, { user: 'ada' });
      await remove(now - 1000);
      expect((await get(project, 'plan.md')).body).toMatchObject({ text: 'new' });
      await remove(now + 1000);
      expect(await put(project, 'plan.md', { text: 'back', arrived_ms: now + 500 })).toMatchObject(superseded);
      expect(await get(project, 'plan.md')).toMatchObject({ status: 404 });
      expect(await put(project, 'plan.md', { text: 'newest', arrived_ms: now + 2000 })).toMatchObject({ status: 200 });
      // A clock that was set back by an hour does not block writes.
      const hourAgo = { text: 'after the clock was set back', arrived_ms: now - 3_600_000 };
      expect(await put(project, 'plan.md', hourAgo)).toMatchObject({ status: 200 });
    });

    it('have one of the written texts after concurrent writes', async () => {
      const project = await makeProject();
      const texts = Array.from({ length: 20 }, (_, i) => `number${i} ${'and more '.repeat(50 * i)}`);
      const answers = await Promise.all(texts.map((text) => put(project, 'a.md', { text })));
      expect(answers.map(({ status }) => status)).toEqual(texts.map(() => 200));
      expect(answers.filter(({ body }) => body['created'])).toHaveLength(1);
      const { body } = await get(project, 'a.md');
      const winner = texts.indexOf(body['text'] as string);
      expect(answers[winner]?.body['version']).toBe(body['version']);
      for (const i of texts.keys()) expect((await search(project, `number${i}`)).total > 0).toBe(i === winner);
    });

    it('are not visible to another user', async () => {
      const project = await makeProject('ada');
      await put(project, 'secret.md', { text: 'the treasure is under the oak' });
      await server.call('POST', '/projects', { user: 'bob', body: { project_id: project, name: 'Same id' } });
      await put(project, 'secret.md', { text: 'bob has nothing' }, 'bob');
      expect((await search(project, 'treasure oak', 'bob')).total).toBe(0);
      expect((await get(project, 'secret.md', 'bob')).body).toMatchObject({ text: 'bob has nothing' });
      expect(await get(project, 'secret.md', 'eve')).toMatchObject({ status: 404 });
      expect(await server.call('DELETE', `/projects/${project}`, { user: 'bob' })).toMatchObject({ status: 200 });
      expect((await search(project, 'treasure oak')).total).toBe(1);
    });
  });

  describe('the disk', () => {
    const storedFiles = () => {
      const root = join(server.dataDir, 'filesystem', 'files');
      const entries = readdirSync(root, { recursive: true, withFileTypes: true });
      return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
    };

    it('may damage a file: the fault is reported, and repaired by another upload', async () => {
      const project = await makeProject();
      const before = new Set(storedFiles());
      await put(project, 'a.md', { text: 'precious words' });
      const [file] = storedFiles().filter((path) => !before.has(path)) as [string];
      writeFileSync(file, 'precious worms');
      const answer = await get(project, 'a.md');
      expect(answer).toMatchObject({ status: 409, body: { code: 'document_damaged' } });
      expect(JSON.stringify(answer.body)).not.toContain('worms');
      expect((await put(project, 'a.md', { text: 'precious words' })).body).toMatchObject({ changed: true });
      expect((await get(project, 'a.md')).body).toMatchObject({ text: 'precious words' });
      expect(storedFiles()).toHaveLength(before.size + 1);
    });

    if (isEmbedded)
      it('may be full: the write is refused, and leaves nothing behind', async () => {
        const project = await makeProject();
        await put(project, 'a.md', { text: 'elephants' });
        const before = storedFiles();
        const { db } = server.app.get<FilesystemStores, EmbeddedStores>(FilesystemStores);
        const { page_count } = db.prepare('PRAGMA page_count').get() as { page_count: number };
        db.exec(`PRAGMA max_page_count = ${page_count + 2}`);
        const text = 'Some more words to be stored.\n\n'.repeat(20_000);
        expect(await put(project, 'a.md', { text })).toMatchObject({ status: 507, body: { code: 'storage_full' } });
        db.exec('PRAGMA max_page_count = 1073741823');
        expect((await get(project, 'a.md')).body).toMatchObject({ text: 'elephants' });
        expect((await search(project, 'elephant')).total).toBe(1);
        expect((await search(project, 'stored words')).total).toBe(0);
        expect(storedFiles()).toEqual(before);
        expect(await put(project, 'a.md', { text })).toMatchObject({ status: 200 });
      });

    it('has files that only their owner can read', () => {
      expect(statSync(join(server.dataDir, 'filesystem')).mode & 0o077).toBe(0);
    });
  });

  if (isEmbedded)
    describe('the filesystem server, started again,', () => {
      const dataDir = mkdtempSync(join(tmpdir(), 'caudex-again-'));
      const root = join(dataDir, 'filesystem');
      const start = () => startForTest('filesystem', FilesystemServerModule, { DATA_DIR: dataDir });
      afterAll(() => rmSync(dataDir, { recursive: true }));

      it('has all data, and removes files without a row', async () => {
        let again = await start();
        await again.call('POST', '/projects', { user: 'ada', body: { project_id: 'p', name: 'Kept' } });
        const document = `/projects/p/document${at('a.md')}`;
        const body = { version: 'v1', media_type: 'text/markdown', text: 'elephants' };
        await again.call('PUT', document, { user: 'ada', body });
        await again.close();
        mkdirSync(join(root, 'files', 'ada', 'left-over'));
        writeFileSync(join(root, 'files', 'ada', 'left-over', 'file'), 'nobody knows');
        again = await start();
        expect((await again.call('GET', document, { user: 'ada' })).body).toMatchObject({ text: 'elephants' });
        const found = await again.call('POST', '/projects/p/search', {
          user: 'ada',
          body: { query: 'elephant', limit: 1 },
        });
        expect(found.body).toMatchObject({ total: 1 });
        expect(readdirSync(join(root, 'files', 'ada'))).toHaveLength(1);
        await again.close();
      });

      it('does not treat documents as leftovers when its database is missing', async () => {
        renameSync(join(root, 'metadata.sqlite'), join(root, 'elsewhere'));
        await expect(start()).rejects.toThrow(/metadata\.sqlite is missing, but .*files holds documents/);
        renameSync(join(root, 'elsewhere'), join(root, 'metadata.sqlite'));
        await (await start()).close();
      });
    });

  describe('a large document', () => {
    const text = Array.from({ length: 40_000 }, (_, i) => `"Line ${i}" of the ${i % 2 ? 'ship’s' : 'harbour'} log.\n`);
    const tooLarge = 'x'.repeat(26_214_401);

    it('does not delay other requests', async () => {
      const project = await makeProject();
      let slowest = 0;
      let done = false;
      const watch = (async () => {
        while (!done) {
          const started = performance.now();
          await server.call('GET', '/health/live', { token: null });
          slowest = Math.max(slowest, performance.now() - started);
        }
      })();
      const body = text.join('').repeat(3);
      expect(await put(project, 'log.txt', { media_type: 'text/plain', text: body })).toMatchObject({ status: 200 });
      done = true;
      await watch;
      expect(slowest).toBeLessThan(3000);
      const { results } = await search(project, '"line 39999"');
      expect(results[0]?.text).toContain('"Line 39999" of the ship’s log.');
      expect((await get(project, 'log.txt')).body['text']).toBe(body);
    });

    it('is refused when it is too large', async () => {
      const project = await makeProject();
      expect(await put(project, 'x.txt', { text: tooLarge })).toMatchObject({
        status: 413,
        body: { code: 'too_large' },
      });
      expect(await put(project, 'x.txt', { text: tooLarge + tooLarge })).toMatchObject({ status: 413 });
    });
  });

  describe('conversations', () => {
    const turn = (message_id: string, state: string, text = '', question = 'Why is the sky blue? I wonder.') => ({
      message_id,
      created_at: `2026-01-01T00:00:0${count++ % 10}.000Z`,
      question,
      answer: { text, state, metadata: { model: 'extractive' } },
    });
    const putTurn = (conversation: string, turn: object, project_id: string | null = null, user = 'ada') =>
      server.call('PUT', `/conversations/${conversation}/turns`, { user, body: { project_id, turn } });
    const getConversation = (id: string, query = '', user = 'ada') =>
      server.call('GET', `/conversations/${id}${query}`, { user });

    it('keep their turns in order and never go back', async () => {
      count = 0;
      const first = turn('m1', 'pending');
      await putTurn('c1', first);
      await putTurn('c1', { ...first, answer: { ...first.answer, state: 'complete', text: 'Because.' } });
      await putTurn('c1', { ...first, answer: { ...first.answer, state: 'partial', text: 'Bec' } });
      await putTurn('c1', turn('m2', 'failed'));
      const { body } = await getConversation('c1');
      expect(body).toMatchObject({
        title: 'Why is the sky blue?',
        turns: [
          { message_id: 'm1', answer: { state: 'complete', text: 'Because.', metadata: { model: 'extractive' } } },
          { message_id: 'm2', answer: { state: 'failed' } },
        ],
      });
      expect((await getConversation('c1', '?last=1')).body['turns']).toMatchObject([{ message_id: 'm2' }]);
      const renamed = await server.call('PATCH', '/conversations/c1', { user: 'ada', body: { title: 'Sky' } });
      expect(renamed.body).toMatchObject({ title: 'Sky', turns: 2 });
      await putTurn('c1', turn('m3', 'pending'));
      expect((await getConversation('c1')).body).toMatchObject({ title: 'Sky' });
      expect(await getConversation('c1', '', 'bob')).toMatchObject({ status: 404 });
    });

    it('stay deleted after a late delivery', async () => {
      await putTurn('c2', turn('m1', 'complete'));
      const drop = (id: string) => server.call('DELETE', `/conversations/${id}`, { user: 'ada' });
      expect((await drop('c2')).body).toEqual({ deleted: true });
      expect((await drop('c2')).body).toEqual({ deleted: true });
      expect((await drop('c-unseen')).body).toEqual({ deleted: false });
      expect((await drop('c-unseen')).body).toEqual({ deleted: false });
      expect(await putTurn('c2', turn('m2', 'complete'))).toMatchObject({ status: 410, body: { code: 'deleted' } });
      expect(await putTurn('c-unseen', turn('m2', 'complete'))).toMatchObject({ status: 410 });
      expect(await getConversation('c2')).toMatchObject({ status: 404 });
    });

    it('are deleted with their project', async () => {
      const project = await makeProject();
      await putTurn('c3', turn('m1', 'complete'));
      expect((await getConversation('c3')).body).toMatchObject({ project_id: null });
      await putTurn('c3', turn('m2', 'complete'), project);
      await putTurn('c3', turn('m3', 'complete'));
      const body = (await getConversation('c3')).body as { turns: object[] };
      expect(body).toMatchObject({ project_id: project });
      expect(body.turns).toHaveLength(3);
      await server.call('DELETE', `/projects/${project}`, { user: 'ada' });
      expect(await getConversation('c3')).toMatchObject({ status: 404 });
      expect(await putTurn('c3', turn('m2', 'complete'), project)).toMatchObject({ status: 410 });
      expect(await putTurn('c5', turn('m1', 'complete'), project)).toMatchObject({ status: 410 });
    });

    it('keep a turn of another or unknown project until that project is deleted', async () => {
      const [project, other] = [await makeProject(), await makeProject()];
      const messages = async (id: string, user = 'ada') => {
        const { turns } = (await getConversation(id, '', user)).body as { turns: { message_id: string }[] };
        return turns.map(({ message_id }) => message_id);
      };
      await putTurn('c6', turn('m1', 'complete'), project);
      expect(await putTurn('c6', turn('m2', 'complete'), other)).toMatchObject({ status: 200 });
      expect((await getConversation('c6')).body).toMatchObject({ project_id: project });
      expect(await putTurn('c7', turn('m1', 'complete'), project, 'bob')).toMatchObject({ status: 200 });
      expect(await messages('c7', 'bob')).toEqual(['m1']);
      await server.call('DELETE', `/projects/${other}`, { user: 'ada' });
      expect(await messages('c6')).toEqual(['m1']);
    });

    it('are listed newest first', async () => {
      await putTurn('old', { ...turn('m1', 'complete'), created_at: '2025-01-01T00:00:00Z' }, null, 'carl');
      await putTurn('new', { ...turn('m1', 'complete'), created_at: '2025-01-02T00:00:00Z' }, null, 'carl');
      await putTurn('old', { ...turn('m2', 'complete'), created_at: '2025-01-03T00:00:00Z' }, null, 'carl');
      const list = await server.call('GET', '/conversations?limit=2', { user: 'carl' });
      expect(list.body).toMatchObject({
        total: 2,
        conversations: [{ conversation_id: 'old', turns: 2 }, { conversation_id: 'new' }],
      });
    });
  });
}

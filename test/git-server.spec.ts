import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { GitServerModule } from '../src/downstream/git/server/git-server.module.js';
import { type ServerUnderTest, startForTest } from './server-under-test.js';

const ADA = { name: 'Ada', email: 'ada@example.org' };
let count = 0;
const newProject = () => `p${++count}`;
const at = (query: Record<string, string | number>) =>
  `?${new URLSearchParams(Object.entries(query).map(([key, value]) => [key, String(value)])).toString()}`;

/** The requests of one user to a git server. */
function asking(server: () => ServerUnderTest, user = 'ada') {
  const get = (path: string) => server().call('GET', path, { user });
  return {
    get,
    post: (path: string, body: unknown) => server().call('POST', path, { user, body }),
    commit: (project: string, path: string, text: string | null, more: object = {}) =>
      server().call('POST', `/projects/${project}/commits`, {
        user,
        body: {
          ...{ path, text, version: `v${++count}`, author: ADA, message: `Save ${path}` },
          ...{ committed_at: new Date(Date.UTC(2026, 0, 1) + count * 1000).toISOString(), ...more },
        },
      }),
    history: async (project: string, query: Record<string, string | number> = {}) =>
      (await get(`/projects/${project}/history${at(query)}`)).body as {
        versions: { version: string; path: string; message: string; author: string; committed_at: string }[];
        total: number;
      },
    textAt: (project: string, path: string, version: string) =>
      get(`/projects/${project}/text${at({ path, version })}`),
    drop: (project: string) => server().call('DELETE', `/projects/${project}`, { user }),
  };
}
const versionsOf = ({ versions }: { versions: { version: string }[] }) => versions.map(({ version }) => version);

describe('the history of a project', () => {
  let server: ServerUnderTest;
  beforeAll(async () => {
    server = await startForTest('git', GitServerModule);
  });
  afterAll(() => server.close());
  const { get, post, commit, history, textAt, drop } = asking(() => server);
  const bob = asking(() => server, 'bob');

  it('has each version once, however often it is sent', async () => {
    const project = newProject();
    const first = await commit(project, 'a.md', 'one', { version: 'x' });
    expect(first).toMatchObject({ status: 200, body: { version: 'x' } });
    expect(await commit(project, 'a.md', 'one', { version: 'x' })).toEqual(first);
    expect(await history(project)).toMatchObject({
      total: 1,
      versions: [{ version: 'x', path: 'a.md', author: 'Ada' }],
    });
  });

  it('lists the newest version of each document that was not deleted', async () => {
    const project = newProject();
    await commit(project, 'a.md', 'one', { version: 'a1' });
    await commit(project, 'b.md', 'one', { version: 'b1' });
    await commit(project, 'a.md', 'two', { version: 'a2' });
    await commit(project, 'b.md', null);
    expect((await get(`/projects/${project}/heads`)).body).toEqual({
      documents: [{ path: 'a.md', version: 'a2' }],
      total: 1,
    });
  });

  it('commits a batch in its order, and each version once, including versions sent before', async () => {
    const project = newProject();
    const changes = (...versions: string[]) =>
      versions.map((version, i) => ({
        ...{ path: `${version}.md`, version, text: `text of ${version}`, author: ADA, message: `Save ${version}` },
        committed_at: new Date(Date.UTC(2026, 0, 1, 0, 0, i)).toISOString(),
      }));
    const batch = (sent: unknown[]) => post(`/projects/${project}/commits/batch`, { changes: sent });
    const first = await batch(changes('x', 'y'));
    const many = Array.from({ length: 20 }, (_, i) => `z${i}`);
    const second = await batch(changes('x', ...many, 'y'));
    expect([first.status, second.status]).toEqual([200, 200]);
    const hashes = (second.body as { commits: { commit: string; version: string }[] }).commits;
    expect(hashes.map(({ version }) => version)).toEqual(['x', ...many, 'y']);
    expect([hashes[0], hashes.at(-1)]).toEqual(first.body['commits']);
    expect(new Set(hashes.map(({ commit }) => commit)).size).toBe(22);
    expect(versionsOf(await history(project)).toSorted()).toEqual(['x', 'y', ...many].toSorted());
    expect((await textAt(project, 'z7.md', 'z7')).body).toMatchObject({ text: 'text of z7' });
    expect((await textAt(project, 'y.md', 'y')).body).toMatchObject({ text: 'text of y' });
  });

  it('takes none of a batch with a path that is no document, or with one path twice', async () => {
    const project = newProject();
    const change = (path: string) => ({
      ...{ path, version: `v${++count}`, text: 'x', author: ADA, message: 'Save' },
      committed_at: new Date().toISOString(),
    });
    const bad = await post(`/projects/${project}/commits/batch`, { changes: [change('a.md'), change('../b.md')] });
    expect(bad).toMatchObject({ status: 400, body: { code: 'invalid_path' } });
    const twice = await post(`/projects/${project}/commits/batch`, { changes: [change('a.md'), change('a.md')] });
    expect(twice).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
    expect(await history(project)).toEqual({ versions: [], total: 0 });
  });

  it('is listed newest first, in pages, of one document or of all', async () => {
    const project = newProject();
    for (const [path, version] of [
      ['a.md', 'a1'],
      ['b.md', 'b1'],
      ['a.md', 'a2'],
      ['a.md', 'a3'],
    ] as const) {
      await commit(project, path, `text ${version}`, { version });
    }
    expect(versionsOf(await history(project))).toEqual(['a3', 'a2', 'b1', 'a1']);
    expect(await history(project, { path: 'a.md', limit: 1, offset: 1 })).toMatchObject({
      total: 3,
      versions: [{ version: 'a2' }],
    });
    expect(await history('nobody-was-here')).toEqual({ versions: [], total: 0 });
  });

  it('finds changes by time and by the words of path and message', async () => {
    const project = newProject();
    const on = (day: string) => ({ committed_at: `${day}T12:00:00+00:00`.replace('+00:00', 'Z') });
    await commit(project, 'chapters/chapter03.md', 'one', { version: 'c3', ...on('2026-02-01') });
    await commit(project, 'chapters/chapter13.md', 'one', { version: 'c13', ...on('2026-02-02') });
    await commit(project, 'intro.md', 'one', { version: 'i', message: 'Polish the chapters', ...on('2026-02-03') });
    expect(versionsOf(await history(project, { text: 'Chapter 3' }))).toEqual(['c3']);
    expect(versionsOf(await history(project, { text: 'chapters polished' }))).toEqual(['i']);
    const span = { since: '2026-02-02T00:00:00Z', until: '2026-02-03T12:00:00Z' };
    expect(versionsOf(await history(project, span))).toEqual(['c13']);
    const bad = await get(`/projects/${project}/history${at({ since: 'yesterday' })}`);
    expect(bad).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
  });

  it('returns texts, differences and the author of each line', async () => {
    const project = newProject();
    await commit(project, 'a.md', 'one\ntwo\n', { version: 'first' });
    const bobs = { version: 'second', author: { name: 'Bob', email: 'bob@example.org' } };
    await commit(project, 'a.md', 'one\nthree\n', bobs);
    await commit(project, 'a.md', null, { version: 'gone' });
    expect((await textAt(project, 'a.md', 'first')).body).toMatchObject({ text: 'one\ntwo\n' });
    expect((await textAt(project, 'a.md', 'gone')).body).toMatchObject({ text: null });
    expect(await textAt(project, 'a.md', 'never')).toMatchObject({ status: 404, body: { code: 'version_not_found' } });
    const { body } = await get(`/projects/${project}/diff${at({ path: 'a.md', from: 'first', to: 'second' })}`);
    expect(body['diff']).toMatch(/^ one\n-two\n\+three$/m);
    const blame = await get(`/projects/${project}/blame${at({ path: 'a.md', version: 'second' })}`);
    expect(blame.body['lines']).toMatchObject([
      { line: 1, text: 'one', author: 'Ada', version: 'first' },
      { line: 2, text: 'three', author: 'Bob', version: 'second' },
    ]);
    const changes = await get(`/projects/${project}/changes${at({ path: 'a.md', limit: 2 })}`);
    expect(changes.body['changes']).toMatchObject([{ version: 'gone' }, { version: 'second', author: 'Bob' }]);
    expect((changes.body['changes'] as { diff: string }[])[1]?.diff).toContain('-two\n+three');
  });

  it.each([
    '"quoted".md',
    "it's.md",
    'tab and space .md',
    'größe/メモ.md',
    '-rf.md',
    ':(glob)*.md',
    'a\u00a0b.md',
    '.git/config',
    'HEAD',
  ])('keeps the path %j as it is', async (path) => {
    const project = newProject();
    await commit(project, path, 'one\n', { version: 'a' });
    await commit(project, path, 'two\n', { version: 'b' });
    expect((await textAt(project, path, 'a')).body).toMatchObject({ path, text: 'one\n' });
    const { body } = await get(`/projects/${project}/diff${at({ path, from: 'a', to: 'b' })}`);
    expect(body['diff']).toContain('-one\n+two');
    const blame = await get(`/projects/${project}/blame${at({ path })}`);
    expect(blame.body['lines']).toMatchObject([{ text: 'two' }]);
  });

  it.each(['a\nb.md', '../a.md', '/a.md', 'a//b', ''])('refuses the path %j', async (path) => {
    expect(await commit(newProject(), path, 'x')).toMatchObject({ status: 400 });
  });

  it.each(['..x', 'a.b', 'a%2Fb', 'ä'])('refuses the project id %j', async (project) => {
    expect((await get(`/projects/${encodeURIComponent(project)}/history`)).status).toBe(400);
    expect((await commit(encodeURIComponent(project), 'a.md', 'x')).status).toBe(400);
    expect((await drop(encodeURIComponent(project))).status).toBe(400);
  });

  it('keeps unusual authors and messages within their commit', async () => {
    const project = newProject();
    const author = { name: 'E <evil>\nfrom 0000', email: 'x>\ncommitter y' };
    const message = 'data 3\nCaudex-Version: other\n\u0000 end';
    expect(
      await commit(project, 'a.md', 'data 10\ncommit refs/heads/x\n', { author, message, version: 'odd' }),
    ).toMatchObject({ status: 200 });
    expect(await commit(project, 'a.md', 'next', { version: 'next' })).toMatchObject({ status: 200 });
    expect((await textAt(project, 'a.md', 'odd')).body).toMatchObject({ text: 'data 10\ncommit refs/heads/x\n' });
  });

  it('is deleted for good when the project is dropped', async () => {
    const project = newProject();
    await commit(project, 'a.md', '# One\n\n[two](b.md)', { version: 'a' });
    await commit(project, 'b.md', 'two');
    expect((await drop(project)).body).toEqual({ removed: true });
    expect((await drop(project)).body).toEqual({ removed: false });
    expect(await history(project)).toEqual({ versions: [], total: 0 });
    expect((await get(`/projects/${project}/graph`)).body).toEqual({ nodes: [], edges: [] });
    expect(await commit(project, 'a.md', 'late')).toMatchObject({ status: 410, body: { code: 'deleted' } });
  });

  it('is not visible to another user, for any names', async () => {
    const project = newProject();
    await commit(project, 'a.md', 'secret of ada [b](b.md)', { version: 'same' });
    await commit(project, 'b.md', 'b');
    await bob.commit(project, 'a.md', 'of bob', { version: 'same' });
    expect((await bob.textAt(project, 'a.md', 'same')).body).toMatchObject({ text: 'of bob' });
    expect(await bob.history(project)).toMatchObject({ total: 1 });
    expect((await bob.get(`/projects/${project}/related${at({ path: 'a.md' })}`)).body).toEqual({ related: [] });
    await bob.drop(project);
    expect((await textAt(project, 'a.md', 'same')).body).toMatchObject({ text: 'secret of ada [b](b.md)' });
  });

  it('commits concurrent changes of one project one after the other', async () => {
    const project = newProject();
    const answers = await Promise.all(Array.from({ length: 12 }, (_, i) => commit(project, `${i}.md`, `text ${i}`)));
    expect(answers.map(({ status }) => status)).toEqual(Array(12).fill(200));
    expect(new Set(answers.map(({ body }) => body['commit'])).size).toBe(12);
    expect((await history(project)).total).toBe(12);
  });
});

describe('a git server that died between a commit and its row', () => {
  it('finds the commits of a batch again, whatever part of the batch comes first', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'caudex-git-'));
    let server = await startForTest('git', GitServerModule, { DATA_DIR: dataDir });
    const { post, history, commit } = asking(() => server);
    const changes = Array.from({ length: 12 }, (_, i) => ({
      ...{ path: `${i}.md`, version: `v-${i}`, text: `text ${i}`, author: ADA, message: 'Save' },
      committed_at: new Date(Date.UTC(2026, 0, 1, 0, 0, i)).toISOString(),
    }));
    const batch = async (...sent: unknown[]) => (await post('/projects/p/commits/batch', { changes: sent })).body;
    try {
      await commit('p', 'first.md', 'first', { version: 'first' });
      const { commits } = (await batch(...changes)) as { commits: unknown[] };
      await server.close();
      const db = new DatabaseSync(join(dataDir, 'git', 'git.db'));
      db.exec(`DELETE FROM versions WHERE version LIKE 'v-%'`);
      db.close();
      server = await startForTest('git', GitServerModule, { DATA_DIR: dataDir });
      await commit('p', 'other.md', 'other', { version: 'other' });
      expect(await batch(...changes.slice(7))).toEqual({ commits: commits.slice(7) });
      expect(await batch(...changes.slice(0, 8))).toEqual({ commits: commits.slice(0, 8) });
      expect((await history('p')).total).toBe(14);
      const repository = join(dataDir, 'git', 'repositories', 'ada', 'p.git');
      expect(execFileSync('git', ['rev-list', '--count', 'main'], { cwd: repository }).toString().trim()).toBe('14');
    } finally {
      await server.close();
      rmSync(dataDir, { recursive: true });
    }
  });

  it('finds the commit again and creates no second one', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'caudex-git-'));
    let server = await startForTest('git', GitServerModule, { DATA_DIR: dataDir });
    const { commit, history } = asking(() => server);
    try {
      await commit('p', 'a.md', 'one', { version: 'a' });
      const second = await commit('p', 'a.md', 'two', { version: 'b' });
      await server.close();
      const db = new DatabaseSync(join(dataDir, 'git', 'git.db'));
      db.exec(`DELETE FROM versions WHERE version = 'b'`);
      db.close();
      server = await startForTest('git', GitServerModule, { DATA_DIR: dataDir });
      expect(versionsOf(await history('p'))).toEqual(['a']);
      expect(await commit('p', 'a.md', 'two', { version: 'b' })).toEqual(second);
      const repository = join(dataDir, 'git', 'repositories', 'ada', 'p.git');
      expect(execFileSync('git', ['rev-list', '--count', 'main'], { cwd: repository }).toString().trim()).toBe('2');
    } finally {
      await server.close();
      rmSync(dataDir, { recursive: true });
    }
  });
});

describe('the import of a repository', () => {
  const root = mkdtempSync(join(tmpdir(), 'caudex-sources-'));
  const source = join(root, 'allowed', 'book');
  let server: ServerUnderTest;
  const { get, post, history, textAt, commit } = asking(() => server);

  const run = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=Grace', '-c', 'user.email=grace@example.org', ...args], {
      cwd: source,
      env: {
        ...process.env,
        GIT_AUTHOR_DATE: '2020-05-01T10:00:00+02:00',
        GIT_COMMITTER_DATE: '2020-05-01T10:00:00+02:00',
      },
    }).toString();
  const save = (files: Record<string, string | Buffer>, message: string) => {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(source, path)), { recursive: true });
      writeFileSync(join(source, path), text);
    }
    run('add', '-A');
    run('commit', '-q', '-m', message);
    return run('rev-parse', 'HEAD').trim();
  };
  async function imported(project: string, body: object = { source }, importId = `i${++count}`) {
    const start = () => post(`/projects/${project}/imports`, { import_id: importId, ...body });
    const begun = await start();
    if (begun.status !== 200) return { begun, progress: begun.body, files: [] };
    let progress = begun.body;
    while (progress['state'] === 'running') {
      await new Promise((resolve) => setTimeout(resolve, 20));
      progress = (await start()).body;
    }
    const files = (await get(`/projects/${project}/imports/${importId}/files`)).body['files'];
    return { begun, progress, files: files as { path: string; version: string; deleted: boolean }[] };
  }

  let first: string;
  let second: string;
  beforeAll(async () => {
    mkdirSync(source, { recursive: true });
    run('init', '-q', '-b', 'main');
    first = save({ 'intro.md': '# Intro\n\nOne.\n', 'old.md': 'old\n' }, 'Begin');
    writeFileSync(join(root, 'secret.txt'), 'outside');
    symlinkSync(join(root, 'secret.txt'), join(source, 'link.md'));
    rmSync(join(source, 'old.md'));
    second = save(
      {
        'intro.md': '# Intro\n\nOne.\nTwo.\n',
        'bücher/"ch 1".md': 'x\n',
        'image.bin': Buffer.from([0, 1, 2, 255, 0]),
        'large.txt': 'x'.repeat(2000),
      },
      'Add a line\n\nand more',
    );
    server = await startForTest('git', GitServerModule, {
      CAUDEX__GIT__IMPORT_ALLOWED: JSON.stringify([join(root, 'allowed'), 'https://git.example.org/team']),
      CAUDEX__GIT__IMPORT_MAX_FILE_BYTES: '1000',
    });
  });
  afterAll(async () => {
    await server.close();
    rmSync(root, { recursive: true });
  });

  it('imports the whole history, and the text files of the head only', async () => {
    const project = newProject();
    const { progress, files } = await imported(project);
    expect(progress).toMatchObject({ state: 'done', imported_commits: 2, files: 2, skipped: 3, detail: null });
    expect(files).toEqual([
      { path: 'bücher/"ch 1".md', version: second, deleted: false },
      { path: 'intro.md', version: second, deleted: false },
      { path: 'old.md', version: second, deleted: true },
    ]);
    const { versions } = await history(project, { path: 'intro.md' });
    expect(versions).toEqual([
      {
        version: second,
        path: 'intro.md',
        author: 'Grace',
        message: 'Add a line\n\nand more',
        committed_at: '2020-05-01T08:00:00.000Z',
      },
      expect.objectContaining({ version: first, message: 'Begin' }),
    ]);
    expect((await textAt(project, 'intro.md', first)).body).toMatchObject({ text: '# Intro\n\nOne.\n' });
    expect((await history(project, { path: 'link.md' })).total).toBe(0);
    const { nodes } = (await get(`/projects/${project}/graph`)).body as { nodes: { id: string }[] };
    const ids = nodes.map(({ id }) => id);
    expect(ids).toEqual(expect.arrayContaining(['document:intro.md', 'person:grace@example.org', `commit:${first}`]));
    expect(ids).not.toContain('document:old.md');
  });

  it('imports only new commits the second time, and later changes follow them', async () => {
    const project = newProject();
    await imported(project);
    expect((await imported(project)).progress).toMatchObject({ imported_commits: 0, files: 2 });
    const third = save({ 'intro.md': '# Intro\n\nOne.\nTwo.\nThree.\n' }, 'Three');
    const again = await imported(project);
    expect(again.progress).toMatchObject({ imported_commits: 1 });
    expect(again.files).toContainEqual({ path: 'intro.md', version: third, deleted: false });
    expect((await history(project)).total).toBe(6);
    await commit(project, 'intro.md', '# Intro\n\nOne.\nTwo.\nThree.\nMine.\n', { version: 'mine' });
    const blame = await get(`/projects/${project}/blame${at({ path: 'intro.md' })}`);
    expect((blame.body['lines'] as { author: string }[]).map(({ author }) => author)).toEqual([
      ...['Grace', 'Grace', 'Grace', 'Grace', 'Grace', 'Ada'],
    ]);
  });

  it('is added to the existing documents of the project', async () => {
    const project = newProject();
    await commit(project, 'own.md', 'own\n', { version: 'own' });
    expect((await imported(project)).progress).toMatchObject({ state: 'done' });
    await commit(project, 'own.md', 'own, changed\n', { version: 'own2' });
    const { body } = await get(`/projects/${project}/diff${at({ path: 'own.md', from: 'own', to: 'own2' })}`);
    expect(body['diff']).toContain('-own\n+own, changed');
  });

  it('imports the named branch, and reports a missing one', async () => {
    run('branch', 'side', first);
    expect((await imported(newProject(), { source, branch: 'side' })).progress).toMatchObject({ imported_commits: 1 });
    const missing = (await imported(newProject(), { source, branch: 'nowhere' })).progress;
    expect(missing).toMatchObject({ state: 'failed', detail: expect.stringContaining('refs/heads/nowhere') });
  });

  it('works over https from an allowed source, and follows no redirect', async () => {
    const bare = join(root, 'served', 'book.git');
    run('clone', '-q', '--bare', source, bare);
    execFileSync('git', ['update-server-info'], { cwd: bare });
    const [key, cert] = [join(root, 'key.pem'), join(root, 'cert.pem')];
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
    const made = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', cert, ...subject];
    execFileSync('openssl', made, { stdio: 'ignore' });
    const web = createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (request, response) => {
      const { pathname } = new URL(request.url ?? '/', 'https://localhost');
      if (pathname.startsWith('/moved/')) {
        return void response.writeHead(302, { location: pathname.replace('/moved/', '/') }).end();
      }
      const file = join(root, 'served', pathname);
      if (existsSync(file)) response.end(readFileSync(file));
      else response.writeHead(404).end();
    }).listen(0, 'localhost');
    await once(web, 'listening');
    const url = `https://localhost:${(web.address() as AddressInfo).port}`;
    process.env['GIT_SSL_CAINFO'] = cert;
    const own = await startForTest('git', GitServerModule, { CAUDEX__GIT__IMPORT_ALLOWED: JSON.stringify([url]) });
    const first = server;
    server = own;
    try {
      const { progress } = await imported('web', { source: `${url}/book.git` });
      expect(progress).toMatchObject({ state: 'done', files: 3, detail: null });
      expect((await imported('web', { source: `${url}/moved/book.git` })).progress).toMatchObject({ state: 'failed' });
      const withUser = (await imported('web', { source: url.replace('//', '//ada:secret@') })).begun;
      expect(withUser).toMatchObject({ status: 400, body: { code: 'invalid_source' } });
    } finally {
      server = first;
      delete process.env['GIT_SSL_CAINFO'];
      await own.close();
      web.closeAllConnections();
      web.close();
    }
  });

  it.each([
    ['/etc'],
    ['relative/path'],
    ['file:///etc'],
    ['ssh://git.example.org/team/x'],
    ['git@git.example.org:team/x'],
    ['ext::sh -c touch% /tmp/x'],
    ['http://git.example.org/team/x'],
    ['https://git.example.org/teams/x'],
    ['https://git.example.org/team/../other'],
    ['https://git.example.org/team/%2e%2e/other'],
    ['https://git.example.org/team/%2e%2e%2fother'],
    ['https://git.example.org.evil.org/team/x'],
    ['--upload-pack=touch /tmp/x'],
  ])('refuses the source %s', async (where) => {
    const { begun } = await imported(newProject(), { source: where });
    expect(begun).toMatchObject({ status: 403, body: { code: 'import_not_allowed' } });
  });

  it('resolves links before it compares a path', async () => {
    symlinkSync('/etc', join(root, 'allowed', 'way-out'));
    const refused = { status: 403, body: { code: 'import_not_allowed' } };
    expect((await imported(newProject(), { source: join(root, 'allowed', 'way-out') })).begun).toMatchObject(refused);
    expect((await imported(newProject(), { source: `${source}/../../other` })).begun).toMatchObject(refused);
  });

  it.each(['-x', 'a..b', 'a b', 'x:y', '+x'])('refuses the branch %j', async (branch) => {
    const { begun } = await imported(newProject(), { source, branch });
    expect(begun).toMatchObject({ status: 400, body: { code: 'invalid_branch' } });
  });
});

describe('a git server whose graph is unavailable', () => {
  it('keeps history, reports the outage, and updates the graph later', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'caudex-git-'));
    const away = { DATA_DIR: dataDir, GRAPH_SERVER_URL: 'bolt://127.0.0.1:1', GRAPH_PASSWORD: 'x' };
    let server = await startForTest('git', GitServerModule, away);
    const { get, commit, history, textAt, drop } = asking(() => server);
    try {
      for (let i = 0; i < 3; i++) expect((await commit('p', 'a.md', `[b](b.md) ${i}`)).status).toBe(200);
      await commit('p', 'b.md', 'b', { version: 'b' });
      await commit('gone', 'a.md', 'a');
      await drop('gone');
      expect((await history('p')).total).toBe(4);
      expect((await textAt('p', 'b.md', 'b')).body).toMatchObject({ text: 'b' });
      const related = await get(`/projects/p/related${at({ path: 'a.md' })}`);
      expect(related).toMatchObject({ status: 424, body: { code: 'graph_away' } });
      await server.close();
      server = await startForTest('git', GitServerModule, { DATA_DIR: dataDir });
      await commit('p', 'c.md', 'c');
      const { body } = await get(`/projects/p/related${at({ path: 'a.md' })}`);
      expect(body).toEqual({ related: [{ path: 'b.md', score: 3, reasons: ['linked from here'] }] });
      const { nodes } = (await get('/projects/p/graph')).body as { nodes: { kind: string }[] };
      expect(nodes.filter(({ kind }) => kind === 'commit')).toHaveLength(5);
      expect((await get('/projects/gone/graph')).body).toEqual({ nodes: [], edges: [] });
    } finally {
      await server.close();
      rmSync(dataDir, { recursive: true });
    }
  }, 30_000);
});

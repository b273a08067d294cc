import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { APPS, Caudex, type Person, until } from '../system/caudex.js';

const TOKEN = 'an-internal-token-of-some-length';
/** How often the backend looks whether a server has restarted. */
const LOOK_MS = '300';
/** How long a history may take to be filled on a busy machine. */
const FILL_MS = 30_000;
/** Longer than a text that travels with its commit. */
const LONG_CHARS = 1_100_000;

interface Version {
  version: string;
  path: string;
  message: string;
  moved_from?: string;
}

describe('two git servers', () => {
  let a: Caudex;
  let b: Caudex;
  let ann: Person;
  let userId: string;
  let project: string;
  let source: string;

  /** An answer of one of the servers, asked directly. */
  const askedAt = async <T>(caudex: Caudex, path: string): Promise<T> => {
    const headers = { 'x-internal-token': TOKEN, 'x-user-id': userId };
    return (await fetch(`${caudex.urlOf('git')}${path}`, { headers })).json() as Promise<T>;
  };
  const versionsAt = async (caudex: Caudex) =>
    (await askedAt<{ versions: Version[] }>(caudex, `/projects/${project}/history?limit=1000`)).versions;
  const history = async (query = '') =>
    (await ann.get<{ versions: Version[] }>(`/v1/api/projects/${project}/history?limit=100${query}`)).versions;
  const waiting = async () =>
    (await ann.get<{ queues: { topic: string; entries: number }[] }>('/v1/api/status/outbox')).queues;
  const drained = () => until('nothing waits', async () => (await waiting()).length === 0, FILL_MS);
  /** Both servers have the same versions, and these documents with the same texts. */
  const areEqual = async () => {
    await drained();
    await until(
      'the histories are equal',
      async () => {
        const [one, other] = await Promise.all([versionsAt(a), versionsAt(b)]);
        return JSON.stringify(one.toSorted(byId)) === JSON.stringify(other.toSorted(byId));
      },
      FILL_MS,
    );
    for (const { version, path } of await versionsAt(a)) {
      const at = `/projects/${project}/text?${new URLSearchParams({ version, path }).toString()}`;
      expect(await askedAt(b, at)).toEqual(await askedAt(a, at));
    }
    const heads = `/projects/${project}/heads`;
    expect(await askedAt(b, heads)).toEqual(await askedAt(a, heads));
  };
  const byId = (one: Version, other: Version) =>
    `${one.version} ${one.path}` < `${other.version} ${other.path}` ? -1 : 1;
  const launchBackend = () => {
    const GIT_SERVER_URL = `${a.urlOf('git')},${b.urlOf('git')}`;
    return a.launch('backend', {
      ...{ GIT_SERVER_URL, CAUDEX__DOCUMENTS__COMPARE_MS: LOOK_MS },
      CAUDEX__DOWNSTREAM__GIT__BALANCING__EJECTED_MS: '200',
    });
  };

  beforeAll(async () => {
    source = mkdtempSync(join(tmpdir(), 'caudex-source-'));
    const env = {
      INTERNAL_SERVICE_TOKEN: TOKEN,
      CAUDEX__AUTH__OPERATORS: '[ann@example.org]',
      CAUDEX__GIT__IMPORT_ALLOWED: `[${source}]`,
    };
    a = await Caudex.start(env, { apps: APPS.filter((app) => app !== 'backend') });
    b = await Caudex.start(env, { apps: ['git'] });
    await launchBackend();
    ann = await a.signUp('ann@example.org');
    userId = (await ann.get<{ user: { user_id: string } }>('/v1/api/auth/check')).user.user_id;
    project = await ann.project();
  }, 120_000);
  afterAll(async () => {
    await Promise.all([a?.stop(), b?.stop()]);
    rmSync(source, { recursive: true, force: true });
  }, 60_000);

  it('both get every version under the same id', async () => {
    const first = await ann.upload(project, 'harbour.md', 'one\n');
    const second = await ann.upload(project, 'harbour.md', 'one\ntwo\n', 200);
    expect((await history()).map(({ version }) => version)).toEqual([second.version, first.version]);
    await areEqual();
    expect(await versionsAt(b)).toHaveLength(2);
  }, 60_000);

  it('keep the history readable and complete while one of them is away, and each gets what it has missed', async () => {
    for (const [gone, name] of [
      [a, 'lighthouse'],
      [b, 'breakwater'],
    ] as const) {
      await gone.kill('git');
      const before = await history();
      const { version } = await ann.upload(project, `${name}.md`, `The ${name}.\n`);
      expect((await history()).map((one) => one.version)).toEqual([version, ...before.map((one) => one.version)]);
      const blame = await ann.get(`/v1/api/projects/${project}/blame?path=${name}.md`);
      expect(blame).toMatchObject({ lines: [{ version }] });
      await gone.launch('git');
      await areEqual();
    }
    expect(await ann.get('/v1/api/status/services')).toMatchObject({ services: { git: { state: 'closed' } } });
  }, 120_000);

  it('have the same text of a version that was replaced, moved or deleted while one of them was away', async () => {
    await b.kill('git');
    // Each of them is too long to travel with its commit.
    for (const letter of ['x', 'y']) {
      await ann.upload(project, 'long.md', `${letter.repeat(LONG_CHARS)}\n`, letter === 'x' ? 201 : 200);
      await until('it is committed', async () => {
        const [newest] = await versionsAt(a);
        return newest?.path === 'long.md' && (await history('&path=long.md')).length === (letter === 'x' ? 1 : 2);
      });
    }
    await ann.post(`/v1/api/projects/${project}/move`, { from: 'long.md', to: 'tall.md' });
    await ann.upload(project, 'tall.md', 'short\n', 200);
    await ann.delete(`/v1/api/projects/${project}/documents/lighthouse.md`);
    await until('it is committed', async () => (await versionsAt(a))[0]?.message === 'Delete lighthouse.md');
    await b.launch('git');
    await areEqual();
    expect(await history('&path=tall.md')).toHaveLength(4);
  }, 120_000);

  it('fill one that lost its folder, which answers nothing before', async () => {
    const before = await history();
    await b.kill('git');
    await rm(join(b.dataDir, 'git'), { recursive: true });
    await b.launch('git');
    for (let n = 0; n < 20; n++) expect(await history()).toEqual(before);
    // Changes that arrive before it is filled come after the others in its history, too.
    await ann.upload(project, 'harbour.md', 'one\ntwo\nthree\n', 200);
    await areEqual();
    await a.kill('git');
    expect((await history()).slice(1)).toEqual(before);
    expect(await ann.get(`/v1/api/projects/${project}/blame?path=harbour.md`)).toMatchObject({
      lines: [{}, {}, { version: (await history('&path=harbour.md'))[0]?.version }],
    });
    await a.launch('git');
    await drained();
  }, 120_000);

  it('both have an imported history', async () => {
    const git = (...args: string[]) =>
      execFileSync('git', ['-c', 'user.name=Bob', '-c', 'user.email=bob@example.org', ...args], { cwd: source });
    git('init', '--quiet', '--initial-branch=main');
    for (const text of ['one\n', 'one\ntwo\n']) {
      writeFileSync(join(source, 'imported.md'), text);
      git('add', '.');
      git('commit', '--quiet', '-m', `Write ${text.trim()}`);
    }
    const started = await ann.request(
      ...(['POST', `/v1/api/projects/${project}/import`, JSON.stringify({ source })] as const),
      { 'content-type': 'application/json' },
    );
    const { import_id } = (await started.json()) as { import_id: string };
    await until('it is imported', async () => {
      const { state } = await ann.get<{ state: string }>(`/v1/api/projects/${project}/import/${import_id}`);
      return state === 'done';
    });
    await areEqual();
    await a.kill('git');
    expect((await history('&path=imported.md')).map(({ message }) => message)).toEqual(['Write one\ntwo', 'Write one']);
    await a.launch('git');
    await drained();
  }, 120_000);

  it('fill one that is killed again and again meanwhile, and lose nothing', async () => {
    const form = new FormData();
    for (let n = 0; n < 300; n++) form.append('files', new Blob([`${n}\n`.repeat(10_000)]), `many/${n}.md`);
    const stored = await ann.request('POST', `/v1/api/projects/${project}/documents`, form);
    expect(await stored.json()).toMatchObject({ stored: 300, failed: 0 });
    await areEqual();
    const before = await history();
    await b.kill('git');
    await rm(join(b.dataDir, 'git'), { recursive: true });
    for (const afterMs of [700, 1000, 1300]) {
      await b.launch('git');
      await sleep(afterMs);
      expect(await history()).toEqual(before);
      await b.kill('git');
      expect(await history()).toEqual(before);
    }
    await b.launch('git');
    await areEqual();
  }, 180_000);

  it('delete the history of a project on both, also on one that is away', async () => {
    await b.kill('git');
    await ann.delete(`/v1/api/projects/${project}`);
    await b.launch('git');
    for (const caudex of [a, b]) await until('it is gone', async () => (await versionsAt(caudex)).length === 0);
    await drained();
  }, 120_000);
});

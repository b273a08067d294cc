import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { APPS, Caudex, type Person, until } from '../system/caudex.js';

/** How often the backend looks whether a server has restarted. */
const LOOK_MS = '300';
/** How long a rebuilt index may take on a busy machine. */
const REBUILD_MS = 30_000;

describe('two chroma servers', () => {
  let a: Caudex;
  let b: Caudex;
  let ann: Person;
  let project: string;
  const backend = () => {
    const CHROMA_SERVER_URL = `${a.urlOf('chroma')},${b.urlOf('chroma')}`;
    return a.launch('backend', {
      ...{ CHROMA_SERVER_URL, CAUDEX__DOCUMENTS__COMPARE_MS: LOOK_MS },
      CAUDEX__DOWNSTREAM__CHROMA__BALANCING__EJECTED_MS: '200',
    });
  };
  /** What a server has of the project, asked directly. */
  const versionsAt = async (caudex: Caudex) => {
    const answer = await fetch(`${caudex.urlOf('chroma')}/projects/${project}/versions`, {
      headers: { 'x-internal-token': TOKEN, 'x-user-id': await userId() },
    });
    return ((await answer.json()) as { documents: { path: string; version: string }[] }).documents;
  };
  const userId = async () => (await ann.get<{ user: { user_id: string } }>('/v1/api/auth/check')).user.user_id;
  const healthy = async (query: string, document: string) => {
    const found = await ann.search(project, query);
    expect(found).toMatchObject({ source: 'hybrid', degraded: false, degradation: [] });
    expect(found.results.map((one) => one.document)).toContain(document);
  };
  const waiting = async () => {
    const { queues } = await ann.get<{ queues: { topic: string; entries: number }[] }>('/v1/api/status/outbox');
    return queues;
  };
  const inStep = (caudex: Caudex, paths: string[]) =>
    until(
      `it has ${paths.join()}`,
      async () => (await versionsAt(caudex)).map(({ path }) => path).join() === paths.join(),
      REBUILD_MS,
    );

  beforeAll(async () => {
    const env = { INTERNAL_SERVICE_TOKEN: TOKEN, CAUDEX__AUTH__OPERATORS: '[ann@example.org]' };
    a = await Caudex.start(env, { apps: APPS.filter((app) => app !== 'backend') });
    b = await Caudex.start(env, { apps: ['chroma'] });
    await backend();
    ann = await a.signUp('ann@example.org');
    project = await ann.project();
  }, 120_000);
  afterAll(() => Promise.all([a?.stop(), b?.stop()]), 60_000);

  it('both get every change, and an upload is found at once', async () => {
    const { indexed } = await ann.upload(project, 'harbour.md', 'The harbour is full of ships.');
    expect(indexed).toBe('done');
    await healthy('harbour', 'harbour.md');
    await inStep(a, ['harbour.md']);
    await inStep(b, ['harbour.md']);
    expect(await versionsAt(a)).toEqual(await versionsAt(b));
  }, 60_000);

  it('lose nothing while one of them is away, and each gets what it has missed', async () => {
    for (const [gone, other, name] of [
      [a, b, 'lighthouse'],
      [b, a, 'breakwater'],
    ] as const) {
      await gone.kill('chroma');
      await healthy('harbour', 'harbour.md');
      const { indexed } = await ann.upload(project, `${name}.md`, `The ${name} was built of stone.`);
      expect(indexed).toBe('done');
      await healthy(name, `${name}.md`);
      expect((await versionsAt(other)).map(({ path }) => path)).toContain(`${name}.md`);
      await gone.launch('chroma');
      await until('it has the document', async () =>
        (await versionsAt(gone)).some(({ path }) => path === `${name}.md`),
      );
    }
    await until('nothing waits', async () => (await waiting()).length === 0);
  }, 120_000);

  it('fill the index of one that lost its folder, which answers nothing before', async () => {
    await b.kill('chroma');
    await rm(join(b.dataDir, 'chroma'), { recursive: true });
    await b.launch('chroma');
    for (let n = 0; n < 20; n++) await healthy('harbour', 'harbour.md');
    await inStep(b, ['breakwater.md', 'harbour.md', 'lighthouse.md']);
    await until('nothing waits', async () => (await waiting()).length === 0);
    await a.kill('chroma');
    await healthy('lighthouse', 'lighthouse.md');
    await a.launch('chroma');
  }, 120_000);

  it('delete a document and a project from both, also from one that is away', async () => {
    await b.kill('chroma');
    await ann.delete(`/v1/api/projects/${project}/documents/breakwater.md`);
    const { results } = await ann.search(project, 'breakwater');
    expect(results.map(({ document }) => document)).not.toContain('breakwater.md');
    await b.launch('chroma');
    await inStep(b, ['harbour.md', 'lighthouse.md']);
    await b.kill('chroma');
    await ann.delete(`/v1/api/projects/${project}`);
    await b.launch('chroma');
    await inStep(b, []);
    await inStep(a, []);
  }, 120_000);

  it('give what waits for a server to the others when it leaves the configuration', async () => {
    project = await ann.project();
    await b.kill('chroma');
    await ann.upload(project, 'pier.md', 'The pier is made of wood.');
    await a.kill('backend');
    await a.launch('backend', { CHROMA_SERVER_URL: a.urlOf('chroma') });
    await until('nothing waits', async () => (await waiting()).length === 0);
    await healthy('pier', 'pier.md');
    expect((await versionsAt(a)).map(({ path }) => path)).toEqual(['pier.md']);
    await b.launch('chroma');
    await a.kill('backend');
    await backend();
    await inStep(b, ['pier.md']);
  }, 120_000);
});

const TOKEN = 'an-internal-token-of-some-length';

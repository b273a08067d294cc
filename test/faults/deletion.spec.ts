import { SAMPLE_SERVICE_TOKEN } from '../../src/config/config.loader.js';
import { Caudex, type Person, until } from '../system/caudex.js';
import { FaultProxy } from './fault-proxy.js';

const OPERATOR = 'operator@example.org';

describe('deleting a project while something fails', () => {
  let caudex: Caudex;
  let proxy: FaultProxy;
  let person: Person;
  let userId: string;
  let project: string;

  beforeAll(async () => {
    let port = 0;
    proxy = await FaultProxy.start(() => port, 0);
    caudex = await Caudex.start({
      FILESYSTEM_SERVER_URL: proxy.url,
      CAUDEX__AUTH__OPERATORS: `["${OPERATOR}"]`,
      CAUDEX__OUTBOX__RETRY_BASE_MS: '50',
      CAUDEX__OUTBOX__RETRY_MAX_MS: '200',
    });
    port = caudex.ports.filesystem;
    person = await caudex.signUp(OPERATOR);
    userId = (await person.get<{ user: { user_id: string } }>('/v1/api/auth/check')).user.user_id;
  }, 60_000);
  afterAll(async () => {
    await caudex.stop();
    await proxy.stop();
  });
  beforeEach(async () => {
    project = await person.project();
    await person.upload(project, 'pears.md', '# Pears\n\nWilliams pears ripen first.');
    await settled();
  });
  afterEach(() => proxy.heal());

  async function settled(): Promise<void> {
    await until('the outbox is empty', async () => {
      const { queues } = await person.get<{ queues: unknown[] }>('/v1/api/status/outbox');
      return queues.length === 0;
    });
  }

  /** The amount of data of the project on a server, which the public API no longer shows. */
  async function kept(app: 'chroma' | 'git'): Promise<number> {
    const path = app === 'chroma' ? `/projects/${project}` : `/projects/${project}/history`;
    const answer = await fetch(`http://127.0.0.1:${caudex.ports[app]}${path}`, {
      headers: { 'x-internal-token': SAMPLE_SERVICE_TOKEN, 'x-user-id': userId },
    });
    const { passages, total } = (await answer.json()) as { passages?: number; total?: number };
    return passages ?? total ?? 0;
  }

  it('deletes index and history too, also when the answer to the deletion was lost', async () => {
    expect([await kept('chroma'), await kept('git')]).toEqual([1, 1]);
    await proxy.suffer('reset before the answer');
    expect((await person.request('DELETE', `/v1/api/projects/${project}`)).status).toBe(503);
    await proxy.heal();
    await settled();
    expect((await person.request('GET', `/v1/api/projects/${project}`)).status).toBe(404);
    expect([await kept('chroma'), await kept('git')]).toEqual([0, 0]);
  }, 30_000);

  it('deletes nothing where the project was not deleted', async () => {
    await proxy.suffer('refused');
    expect((await person.request('DELETE', `/v1/api/projects/${project}`)).status).toBe(503);
    await proxy.heal();
    await until('filesystem is back', async () => (await person.request('GET', '/v1/api/projects')).ok);
    await settled();
    expect(await person.search(project, 'pears')).toMatchObject({ source: 'hybrid', outcome: 'found' });
    expect(await kept('git')).toBe(1);
  }, 30_000);

  it('deletes nothing when the backend dies before the project was deleted', async () => {
    await proxy.suffer('hang before headers');
    const lost = person.request('DELETE', `/v1/api/projects/${project}`).catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 200));
    await caudex.kill('backend');
    await lost;
    await proxy.heal();
    await caudex.launch('backend');
    await settled();
    expect(await person.search(project, 'pears')).toMatchObject({ source: 'hybrid', outcome: 'found' });
    expect(await kept('git')).toBe(1);
  }, 30_000);

  it('drops undelivered entries of the project', async () => {
    await caudex.kill('chroma');
    await caudex.kill('git');
    await person.upload(project, 'quinces.md', '# Quinces\n\nThey ripen last.');
    await person.delete(`/v1/api/projects/${project}`);
    const { queues } = await person.get<{ queues: { topic: string }[] }>('/v1/api/status/outbox');
    expect(queues.map(({ topic }) => topic).sort()).toEqual(['git.drop', 'index.drop']);
    await caudex.launch('chroma');
    await caudex.launch('git');
    await settled();
    expect([await kept('chroma'), await kept('git')]).toEqual([0, 0]);
  }, 60_000);

  it('never answers from a deleted document, also from an index or a cache that was not informed', async () => {
    expect((await person.search(project, 'williams')).outcome).toBe('found');
    await caudex.kill('chroma');
    await person.delete(`/v1/api/projects/${project}/documents/pears.md`);
    expect((await person.search(project, 'williams')).results).toEqual([]);
    await caudex.launch('chroma');
    for (let i = 0; i < 20; i++) expect((await person.search(project, 'williams')).results).toEqual([]);
    await settled();
    expect(await kept('chroma')).toBe(0);
    expect(await person.search(project, 'williams')).toMatchObject({ results: [], outcome: 'empty_project' });
  }, 60_000);
});

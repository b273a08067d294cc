import { type App, Caudex, type Person, until } from './caudex.js';

const PEARS =
  '# Pears\n\nThe pear harvest begins in September. Williams pears ripen first.\n\n# Storage\n\nStore pears cold and dark.';
const DOWNSTREAM: App[] = ['chroma', 'filesystem', 'billing', 'git'];

describe('a chat while services are killed', () => {
  let caudex: Caudex;
  let person: Person;
  let project: string;

  beforeAll(async () => {
    caudex = await Caudex.start();
    person = await caudex.signUp();
    project = await person.project();
    await person.upload(project, 'notes/pears.md', PEARS);
    await until('the document is indexed', async () => (await person.search(project, 'pears')).source === 'hybrid');
  }, 60_000);
  afterAll(() => caudex.stop());

  afterEach(async () => {
    for (const app of ['auth', ...DOWNSTREAM] as App[]) {
      if (!(await isUp(app))) await caudex.launch(app);
      await recovered(app);
    }
  }, 60_000);

  async function isUp(app: App): Promise<boolean> {
    return fetch(`http://127.0.0.1:${caudex.ports[app]}/health/live`).then(
      () => true,
      () => false,
    );
  }

  /** Ordinary use closes the breaker; nothing but time and requests is needed. */
  async function recovered(app: App): Promise<void> {
    await until(`the breaker of ${app} closes`, async () => {
      const asks: Record<string, string> = {
        auth: '/v1/api/auth/check',
        filesystem: '/v1/api/conversations',
        billing: '/v1/api/billing/balance',
        git: `/v1/api/projects/${project}/history`,
      };
      if (app === 'chroma') await person.search(project, 'pears');
      else await (await person.request('GET', asks[app] as string)).text();
      const { state, failure_count } = await caudex.breaker(app);
      return state === 'closed' && failure_count === 0;
    });
  }

  it('answers from the documents when everything is there', async () => {
    const answer = await person.chat(project, 'When do pears ripen?');
    expect(answer).toMatchObject({
      status: 200,
      source: 'hybrid',
      model: 'extractive',
      degraded: false,
      degradation: [],
      saved: 'stored',
    });
    expect(answer.response).toContain('Williams pears ripen first.');
    expect(answer.sources[0]?.document).toBe('notes/pears.md');
  });

  it('takes the passages from full text when Chroma is dead, opens its breaker and closes it after', async () => {
    await caudex.kill('chroma');
    const first = await person.chat(project, 'When do pears ripen?');
    expect(first).toMatchObject({ source: 'fulltext', degraded: true });
    expect(first.degradation).toContainEqual({ service: 'chroma', reason: 'unreachable', fallback: 'fulltext' });
    expect(first.response).toContain('Williams pears ripen first.');
    await until('the breaker opens', async () => {
      await person.search(project, 'pears');
      return (await caudex.breaker('chroma')).state === 'open';
    });
    await caudex.launch('chroma');
    await recovered('chroma');
    expect(await person.search(project, 'pears')).toMatchObject({ source: 'hybrid', degraded: false });
  }, 60_000);

  it('keeps turn and charge when filesystem and billing are dead, and delivers both once', async () => {
    const before = await person.get<{ credits: number }>('/v1/api/billing/balance');
    await caudex.kill('filesystem');
    await caudex.kill('billing');
    const answer = await person.chat(project, 'Where are pears stored?');
    expect(answer).toMatchObject({ status: 200, source: 'hybrid', saved: 'queued', degraded: true });
    expect(answer.degradation.map(({ service }) => service).sort()).toEqual(['billing', 'filesystem']);
    await caudex.launch('filesystem');
    await caudex.launch('billing');
    const turns = await until('the turn arrives', async () => {
      const conversation = await person.get<{ turns: { message_id: string; answer: { state: string } }[] }>(
        `/v1/api/conversations/${answer.conversation_id}`,
      );
      return conversation.turns.length > 0 && conversation.turns;
    });
    expect(turns).toHaveLength(1);
    expect(turns[0]).toMatchObject({ message_id: answer.message_id, answer: { state: 'complete' } });
    await until('the charge arrives', async () => {
      const { rows } = await person.get<{ rows: { message_id: string }[] }>('/v1/api/billing/usage');
      return rows.filter((row) => row.message_id === answer.message_id).length === 1;
    });
    const after = await person.get<{ credits: number }>('/v1/api/billing/balance');
    expect(after.credits).toBe(before.credits - answer.usage.credits);
  }, 60_000);

  it('goes on for a known token when auth is dead, and says 503 to an unknown one', async () => {
    await person.get('/v1/api/auth/check');
    await caudex.kill('auth');
    expect(await person.chat(project, 'When do pears ripen?')).toMatchObject({ status: 200 });
    const stranger = await fetch(`${caudex.url}/v1/api/auth/check`, {
      headers: { authorization: 'Bearer abc.def.ghi' },
    });
    expect(stranger.status).toBe(503);
    expect(Number(stranger.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    expect(await stranger.json()).toMatchObject({ code: 'auth_unavailable', status: 503 });
  }, 60_000);

  it('answers when all of them are dead', async () => {
    await person.get('/v1/api/auth/check');
    await Promise.all((['auth', ...DOWNSTREAM] as App[]).map((app) => caudex.kill(app)));
    const known = await person.chat(project, 'When do pears ripen?');
    expect(known).toMatchObject({ status: 200, source: 'cache', saved: 'queued', degraded: true });
    const fresh = await person.chat(project, 'What about quinces?');
    expect(fresh).toMatchObject({ status: 200, source: 'none', outcome: 'unavailable', saved: 'queued' });
    expect(fresh.response).toContain('Search is away');
    expect((await fetch(`${caudex.url}/health/ready`)).status).toBe(200);
    expect((await fetch(`${caudex.url}/health`)).status).toBe(200);
  }, 60_000);

  it('refuses to say what it cannot know: 503 with Retry-After for a list that only filesystem has', async () => {
    await caudex.kill('filesystem');
    const answer = await person.request('GET', '/v1/api/conversations?limit=7');
    expect(answer.status).toBe(503);
    expect(answer.headers.get('retry-after')).not.toBeNull();
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
  }, 60_000);

  it('gives a list as it last was while filesystem is away, and tells its age', async () => {
    const before = await person.get('/v1/api/projects');
    await caudex.kill('filesystem');
    const answer = await person.request('GET', '/v1/api/projects');
    expect(await answer.json()).toEqual(before);
    expect(answer.headers.get('x-caudex-stale')).toMatch(/unreachable|circuit_open/);
    expect(Number(answer.headers.get('age'))).toBeGreaterThanOrEqual(0);
  }, 60_000);
});

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

  /** Waits until ordinary requests close the breaker. */
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

  it('answers from the documents when all services work', async () => {
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

  it('uses full text when Chroma is dead, opens its breaker and closes it afterwards', async () => {
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

  it('makes no request wait behind the probe of a breaker, not even for the same search', async () => {
    await caudex.kill('chroma');
    await until('the breaker opens', async () => {
      await person.search(project, 'pears');
      return (await caudex.breaker('chroma')).state === 'open';
    });
    await caudex.launch('chroma');
    process.kill(caudex.pid('chroma'), 'SIGSTOP');
    try {
      await new Promise((resolve) => setTimeout(resolve, 1000));
      const ended: string[] = [];
      const searches = Array.from({ length: 4 }, async () => {
        const { source, degradation } = await person.search(project, 'pears');
        ended.push(`${source} ${degradation[0]?.reason}`);
      });
      await until('three are answered', () => Promise.resolve(ended.length >= 3), 2000);
      expect(ended).toEqual(Array.from({ length: 3 }, () => 'fulltext circuit_open'));
      await Promise.all(searches);
    } finally {
      process.kill(caudex.pid('chroma'), 'SIGCONT');
    }
  }, 60_000);

  it('stores turn and charge when filesystem and billing are dead, and delivers both once', async () => {
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

  it('continues in the project of a conversation when filesystem is dead, and stores the turn', async () => {
    const { conversation_id } = await person.chat(project, 'When do pears ripen?');
    await caudex.kill('filesystem');
    const answer = await person.chat(undefined, 'Where are pears stored?', { conversation_id });
    expect(answer).toMatchObject({ source: 'hybrid', outcome: 'found', saved: 'queued' });
    await caudex.launch('filesystem');
    await until('the turn arrives', async () => {
      const path = `/v1/api/conversations/${conversation_id}`;
      return (await person.get<{ turns: { answer: object }[] }>(path)).turns.length === 2;
    });
    await until(
      'nothing waits',
      async () => !(await (await fetch(`${caudex.url}/metrics`)).text()).includes('topic="turn"'),
    );
  }, 60_000);

  it('stores the turns of a conversation that continues in a project, and in another', async () => {
    const other = await person.project('Other');
    const { conversation_id } = await person.chat(undefined, 'Hello there');
    expect(await person.chat(project, 'When do pears ripen?', { conversation_id })).toMatchObject({ saved: 'stored' });
    expect(await person.chat(other, 'When do pears ripen?', { conversation_id })).toMatchObject({ saved: 'stored' });
    const conversation = await person.get<{ turns: object[] }>(`/v1/api/conversations/${conversation_id}`);
    expect(conversation).toMatchObject({ project_id: project });
    expect(conversation.turns).toHaveLength(3);
  });

  it('does not treat a document as deleted, nor a project as empty, while filesystem is dead', async () => {
    await caudex.kill('filesystem');
    const put = await person.request('PUT', `/v1/api/projects/${project}/documents/notes/pears.md`, 'Pears, anew.', {
      'content-type': 'text/markdown',
    });
    expect(put.status).toBe(503);
    expect(await person.search(project, 'pears')).toMatchObject({
      source: 'hybrid',
      outcome: 'found',
      degradation: [{ service: 'filesystem', fallback: 'none' }],
    });
    expect(await person.search('never-made', 'pears')).toMatchObject({ outcome: 'unavailable', degraded: true });
    await caudex.launch('filesystem');
    await until('the document is found again', async () => {
      const { results, degraded } = await person.search(project, 'pears');
      return !degraded && results[0]?.document === 'notes/pears.md';
    });
  }, 60_000);

  it('does not treat a project as deleted because filesystem refuses our token', async () => {
    await caudex.kill('filesystem');
    await caudex.launch('filesystem', { INTERNAL_SERVICE_TOKEN: 'x'.repeat(40) });
    expect(await person.search('never-looked-at', 'pears')).toMatchObject({
      outcome: 'unavailable',
      degradation: [
        { service: 'filesystem', reason: expect.stringMatching(/^(fault|circuit_open)$/), fallback: 'none' },
      ],
    });
    await caudex.kill('filesystem');
    await caudex.launch('filesystem');
    await until('filesystem is asked again', async () => {
      const answer = await person.request('GET', '/v1/api/search?q=pears&project_id=never-looked-at');
      return answer.status === 404;
    });
  }, 60_000);

  it('never answers from a deleted document, although index and filesystem cannot be reached', async () => {
    const quinces = await person.project('Quinces');
    await person.upload(quinces, 'q.md', '# Quinces\n\nQuinces smell of honey.');
    await until('it is indexed', async () => (await person.search(quinces, 'quinces')).source === 'hybrid');
    await caudex.kill('chroma');
    await person.delete(`/v1/api/projects/${quinces}/documents/q.md`);
    await caudex.kill('filesystem');
    await caudex.launch('chroma');
    const answer = await until('Chroma is asked again', async () => {
      const found = await person.search(quinces, 'quinces');
      return found.degradation.every(({ service }) => service === 'filesystem') && found;
    });
    expect(answer).toMatchObject({ source: 'none', outcome: 'unavailable', results: [], degraded: true });
  }, 60_000);

  it('waits for a hanging filesystem once, and not at all for passages that can be found without it', async () => {
    const fresh = await person.project('Fresh');
    await person.upload(fresh, 'a.md', PEARS);
    await until('it is indexed', async () => (await person.search(fresh, 'pears')).source === 'hybrid');
    await caudex.kill('backend');
    await caudex.launch('backend');
    await person.get('/v1/api/auth/check');
    const pid = caudex.pid('filesystem');
    process.kill(pid, 'SIGSTOP');
    try {
      const took = async (work: () => Promise<object>, expected: object) => {
        const startedAt = performance.now();
        expect(await work()).toMatchObject(expected);
        return performance.now() - startedAt;
      };
      expect(await took(() => person.search(fresh, 'pears'), { source: 'hybrid' })).toBeLessThan(1500);
      process.kill(caudex.pid('chroma'), 'SIGSTOP');
      expect(await took(() => person.chat(fresh, 'When do quinces ripen?'), { source: 'none' })).toBeLessThan(6500);
    } finally {
      for (const app of ['filesystem', 'chroma'] as const) process.kill(caudex.pid(app), 'SIGCONT');
    }
  }, 60_000);

  it('accepts a known token when auth is dead, and answers 503 for an unknown one', async () => {
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
    expect(await person.search(project, 'pears', { limit: 3 })).toMatchObject({ source: 'cache', outcome: 'found' });
    const fresh = await person.chat(project, 'What about quinces?');
    expect(fresh).toMatchObject({ status: 200, source: 'none', outcome: 'unavailable', saved: 'queued' });
    expect(fresh.response).toContain('Search is away');
    expect((await fetch(`${caudex.url}/health/ready`)).status).toBe(200);
    expect((await fetch(`${caudex.url}/health`)).status).toBe(200);
  }, 60_000);

  it('answers 503 with Retry-After for a list that only filesystem has', async () => {
    await caudex.kill('filesystem');
    const answer = await person.request('GET', '/v1/api/conversations?limit=7');
    expect(answer.status).toBe(503);
    expect(answer.headers.get('retry-after')).not.toBeNull();
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
  }, 60_000);

  it('returns the last list while filesystem is unavailable, with its age', async () => {
    const before = await person.get('/v1/api/projects');
    await caudex.kill('filesystem');
    const answer = await person.request('GET', '/v1/api/projects');
    expect(await answer.json()).toEqual(before);
    expect(answer.headers.get('x-caudex-stale')).toMatch(/unreachable|circuit_open/);
    expect(Number(answer.headers.get('age'))).toBeGreaterThanOrEqual(0);
  }, 60_000);
});

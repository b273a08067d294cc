import { Caudex, Person, until } from './caudex.js';

const OPERATOR = 'operator@example.org';

describe('an operator', () => {
  let caudex: Caudex;
  let operator: Person;
  let project: string;

  beforeAll(async () => {
    caudex = await Caudex.start({
      CAUDEX__AUTH__OPERATORS: `[${OPERATOR}]`,
      CAUDEX__SHEDDING__MAX_CONCURRENCY: '4',
    });
    operator = await caudex.signUp(OPERATOR);
    project = await operator.project();
    await operator.upload(project, 'pears.md', '# Pears\n\nWilliams pears ripen first.');
    await until('the document is indexed', async () => (await operator.search(project, 'pears')).source === 'hybrid');
  }, 60_000);
  afterAll(() => caudex.stop());

  it('sees the reason for the state of a breaker', async () => {
    const report = await operator.get('/v1/api/status/services/chroma');
    expect(report).toMatchObject({
      service: 'Chroma Server',
      state: 'closed',
      settings: { failure_threshold: 5, max_retries: 3 },
      bulkhead: { active: 0 },
    });
    for (const field of ['decisions', 'retry_budget', 'amplification', 'recent_attempts'])
      expect(report).toHaveProperty(field);
    expect((await operator.request('GET', '/v1/api/status/services/nobody')).status).toBe(400);
  });

  it('isolates a service and ends the isolation; both are shown and logged', async () => {
    const stop = new AbortController();
    const events = await fetch(`${caudex.url}/v1/api/status/stream`, {
      headers: { authorization: `Bearer ${operator.token}` },
      signal: stop.signal,
    });
    await operator.post('/v1/api/status/services/chroma/isolate', { reason: 'rehearsal' });
    const isolated = await operator.search(project, 'ripen pears');
    expect(isolated).toMatchObject({
      source: 'fulltext',
      degradation: [{ service: 'chroma', reason: 'circuit_open', fallback: 'fulltext' }],
    });
    expect((await caudex.breaker('chroma')).state).toBe('open');
    await operator.post('/v1/api/status/services/chroma/release', {});
    expect(await operator.search(project, 'ripen')).toMatchObject({ source: 'hybrid', degraded: false });
    let text = '';
    for await (const chunk of events.body as unknown as AsyncIterable<Uint8Array>) {
      text += Buffer.from(chunk).toString();
      if (/"to":"closed"/.test(text)) break;
    }
    stop.abort();
    expect(text).toMatch(
      /event: status\n[^]*"service":"chroma","from":"closed","to":"open"[^]*"from":"open","to":"closed"/,
    );
    expect(caudex.output.join('')).toMatch(/\[Chroma Server\] isolated by operator@example\.org: rehearsal/);
  });

  it('sees the entries in the outbox', async () => {
    await caudex.kill('git');
    await operator.upload(project, 'figs.md', '# Figs');
    const waiting = await until('the commit waits', async () => {
      const { queues } = await operator.get<{ queues: { topic: string; entries: number }[] }>('/v1/api/status/outbox');
      return queues.find(({ topic }) => topic === 'commit');
    });
    expect(waiting.entries).toBe(1);
    await caudex.launch('git');
    await until('it was delivered', async () => {
      const { queues } = await operator.get<{ queues: unknown[] }>('/v1/api/status/outbox');
      return queues.length === 0;
    });
  }, 40_000);

  it('sees overload refused at once, except for status and health', async () => {
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, n) =>
        operator.request('GET', `/v1/api/search?q=pears${n}&project_id=${project}`).then(async (answer) => {
          await answer.text();
          return answer;
        }),
      ),
    );
    const statuses = new Set(answers.map(({ status }) => status));
    expect([...statuses].sort()).toEqual([200, 503]);
    expect(answers.find(({ status }) => status === 503)?.headers.get('retry-after')).toBe('1');
    const health = await Promise.all(Array.from({ length: 40 }, () => fetch(`${caudex.url}/health/ready`)));
    expect(new Set(health.map(({ status }) => status))).toEqual(new Set([200]));
  });

  it('finds the series of all of this in /metrics', async () => {
    const metrics = await (await fetch(`${caudex.url}/metrics`)).text();
    for (const series of ['http_client_request_duration_seconds', 'caudex_breaker_state', 'caudex_outbox_entries']) {
      expect(metrics).toContain(series);
    }
  });
});

describe('the deadline of a request', () => {
  let caudex: Caudex;

  beforeAll(async () => {
    caudex = await Caudex.start({
      // A fault drill: every call to chroma takes two more seconds.
      CAUDEX__DOWNSTREAM__CHROMA__FAULT_DRILL: '{enabled: true, latency_ms: 2000, error_rate: 0, reset_rate: 0}',
    });
  }, 60_000);
  afterAll(() => caudex.stop());

  it('is shortened by X-Request-Timeout-Ms, which opens no breaker', async () => {
    const person = await caudex.signUp();
    const project = await person.project();
    const beganMs = performance.now();
    const answer = await person.request(
      'POST',
      '/v1/api/search',
      JSON.stringify({ query: 'pears', project_id: project }),
      { 'content-type': 'application/json', 'x-request-timeout-ms': '600' },
    );
    expect(performance.now() - beganMs).toBeLessThan(1500);
    expect(await answer.json()).toMatchObject({
      degradation: [{ service: 'chroma', reason: 'deadline', fallback: 'fulltext' }],
    });
    const hurried = { 'x-request-timeout-ms': '1' };
    const guesses = Array.from({ length: 12 }, (_, i) =>
      new Person(caudex.url, '').request(
        'POST',
        '/v1/api/auth/login',
        JSON.stringify({ email: `nobody${i}@example.org`, password: 'a wrong password' }),
        { ...hurried, 'content-type': 'application/json' },
      ),
    );
    await Promise.all(guesses);
    for (let i = 0; i < 12; i++) {
      await person.request('GET', `/v1/api/billing/usage?limit=${i + 1}`, undefined, hurried);
      await person.request('GET', `/v1/api/projects/${project}/history?limit=${i + 1}`, undefined, hurried);
      await person.request('GET', `/v1/api/search?project_id=${project}&q=pears${i}`, undefined, hurried);
    }
    for (const service of ['auth', 'billing', 'git', 'chroma', 'filesystem']) {
      const { state, failure_count } = await caudex.breaker(service);
      expect({ service, state, failure_count }).toEqual({ service, state: 'closed', failure_count: 0 });
    }
    await caudex.signUp();
    const late = await person.request('GET', '/v1/api/projects', undefined, { 'x-request-timeout-ms': '0' });
    expect(late.status).toBe(504);
  });
});

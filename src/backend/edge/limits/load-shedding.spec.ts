import { setTimeout as sleep } from 'node:timers/promises';
import fastify, { type FastifyInstance } from 'fastify';
import { shedLoad } from './load-shedding.js';

const LIMIT_MS = 100;

/** Keeps the event loop from turning. */
function block(ms: number): void {
  const endMs = performance.now() + ms;
  while (performance.now() < endMs);
}

describe('shedLoad', () => {
  let app: FastifyInstance;
  const status = async (url: string) => (await app.inject(url)).statusCode;

  beforeEach(() => {
    app = fastify();
    shedLoad(app, { max_concurrency: 1, max_event_loop_delay_ms: LIMIT_MS });
    for (const url of ['/work', '/health/live']) app.get(url, () => 'done');
    app.get('/slow', () => sleep(300));
  });
  afterEach(() => app.close());

  it('serves requests after a single pause, however long', async () => {
    await sleep(100);
    block(1500);
    // The end of the window that the pause was measured in.
    await sleep(50);
    expect(await status('/work')).toBe(200);
  });

  it('refuses requests while the event loop stays late, but no probe, and serves them again afterwards', async () => {
    for (const endMs = performance.now() + 3000; performance.now() < endMs;) {
      block(600);
      await new Promise(setImmediate);
    }
    expect(await app.inject('/work')).toMatchObject({ statusCode: 503 });
    expect(await status('/health/live')).toBe(200);
    await sleep(1500);
    expect(await status('/work')).toBe(200);
  });

  it('refuses background work first, then programs, then uploads, and requests of a person last', async () => {
    const many = fastify();
    shedLoad(many, { max_concurrency: 10, max_event_loop_delay_ms: 5000 });
    many.all('/*', () => sleep(500));
    const kinds = {
      background: { method: 'POST', url: '/v1/api/projects/p/import' },
      program: { method: 'POST', url: '/v1/chat/completions' },
      upload: { method: 'PUT', url: '/v1/api/projects/p/documents/a.md' },
      person: { method: 'POST', url: '/v1/api/chat' },
    } as const;
    let callers = 0;
    const send = (kind: keyof typeof kinds) =>
      many.inject({ ...kinds[kind], headers: { authorization: `Bearer ${callers++}` } });
    const running: Promise<unknown>[] = [];
    const refusedAt = { background: 4, program: 6, upload: 8, person: 10 };
    for (let active = 0; active < 10; active++) {
      for (const [kind, limit] of Object.entries(refusedAt) as [keyof typeof kinds, number][]) {
        if (active < limit) continue;
        expect([active, kind, (await send(kind)).statusCode]).toEqual([active, kind, 503]);
      }
      running.push(send('person'));
      await sleep(5);
    }
    expect((await send('person')).statusCode).toBe(503);
    await Promise.all(running);
    await many.close();
  });

  it('has spare places for others while one caller has taken all', async () => {
    const many = fastify();
    shedLoad(many, { max_concurrency: 8, max_event_loop_delay_ms: 5000 });
    many.get('/*', () => sleep(300));
    const send = (token: string) => many.inject({ url: '/v1/api/chat', headers: { authorization: `Bearer ${token}` } });
    const callers = [...Array.from({ length: 9 }, () => 'greedy'), 'other', 'third', 'fourth'];
    const statuses = (await Promise.all(callers.map(send))).map(({ statusCode }) => statusCode);
    expect(statuses).toEqual([...Array.from({ length: 8 }, () => 200), 503, 200, 200, 503]);
    await many.close();
  });

  it('refuses more requests at a time than allowed', async () => {
    const slow = status('/slow');
    await sleep(50);
    expect(await status('/work')).toBe(503);
    expect(await slow).toBe(200);
    expect(await status('/work')).toBe(200);
  });
});

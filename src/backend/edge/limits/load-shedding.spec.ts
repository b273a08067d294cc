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

  it('refuses more requests at a time than allowed', async () => {
    const slow = status('/slow');
    await sleep(50);
    expect(await status('/work')).toBe(503);
    expect(await slow).toBe(200);
    expect(await status('/work')).toBe(200);
  });
});

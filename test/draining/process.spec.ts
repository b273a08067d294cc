import { once } from 'node:events';
import { Agent, get, type IncomingMessage } from 'node:http';
import { Controller, Get, Module } from '@nestjs/common';
import { InternalServerModule } from '../../src/http/http.module.js';
import { type Answer, type ServerUnderTest, startForTest } from '../server-under-test.js';

let answer: () => void;
let begun: () => void;

@Controller()
class SlowController {
  @Get('slow')
  async slow(): Promise<{ fine: true }> {
    begun();
    await new Promise<void>((resolve) => (answer = resolve));
    return { fine: true };
  }
}
@Module({ imports: [InternalServerModule], controllers: [SlowController] })
class SlowModule {}

describe('a process that is asked to end', () => {
  let server: ServerUnderTest;
  let keepAlive: Agent;

  beforeEach(async () => {
    server = await startForTest('billing', SlowModule, { CAUDEX__HTTP__SHUTDOWN_MS: '3000' });
    keepAlive = new Agent({ keepAlive: true });
  });
  afterEach(async () => {
    keepAlive.destroy();
    await server.close();
  });

  /** A request that stays open until `answer` is called. */
  async function beginSlow(): Promise<{ answered: Promise<Answer> }> {
    const begins = new Promise<void>((resolve) => (begun = resolve));
    const answered = server.call('GET', '/slow', {});
    answered.catch(() => undefined);
    await begins;
    return { answered };
  }
  const probe = (path: string) => fetch(server.url + path);

  it('fails readiness, refuses new requests and finishes running ones', async () => {
    const { answered } = await beginSlow();
    expect((await probe('/health/ready')).status).toBe(200);
    let ended = false;
    const closed = server.close().then(() => (ended = true));

    const ready = await probe('/health/ready');
    expect(ready.status).toBe(503);
    expect(ready.headers.get('retry-after')).toBe('1');
    expect(await ready.json()).toMatchObject({ status: 503, code: 'draining', detail: 'This process is draining.' });
    expect((await probe('/health/live')).status).toBe(200);

    const refused = await probe('/slow');
    expect(refused.status).toBe(503);
    expect(refused.headers.get('content-type')).toMatch('application/problem+json');
    expect(refused.headers.get('retry-after')).toBe('1');
    expect(refused.headers.get('connection')).toBe('close');
    expect(await refused.json()).toMatchObject({ code: 'draining', retry_after: 1 });

    expect(ended).toBe(false);
    const answeredAt = performance.now();
    answer();
    expect(await answered).toEqual({ status: 200, body: { fine: true } });
    await closed;
    expect(performance.now() - answeredAt).toBeLessThan(1000);
    await expect(probe('/health/ready')).rejects.toThrow();
  });

  it('still takes requests for http.drain_delay_ms while it is not ready, so that a balancer can notice', async () => {
    const late = await startForTest('billing', SlowModule, { CAUDEX__HTTP__DRAIN_DELAY_MS: '700' });
    const beganAt = performance.now();
    const closed = late.close();
    expect((await fetch(`${late.url}/health/ready`)).status).toBe(503);
    const begins = new Promise<void>((resolve) => (begun = resolve));
    const answered = late.call('GET', '/slow', {});
    await begins;
    await new Promise((resolve) => setTimeout(resolve, 800));
    expect((await fetch(`${late.url}/slow`)).status).toBe(503);
    answer();
    expect((await answered).status).toBe(200);
    await closed;
    expect(performance.now() - beganAt).toBeGreaterThan(700);
  });

  it('ends at once without running requests, whatever connections are open', async () => {
    const [response] = (await once(get(`${server.url}/health/live`, { agent: keepAlive }), 'response')) as [
      IncomingMessage,
    ];
    await once(response.resume(), 'end');
    const beganAt = performance.now();
    await server.close();
    expect(performance.now() - beganAt).toBeLessThan(1000);
  });

  it('ends requests that take longer than http.shutdown_ms', async () => {
    const { answered } = await beginSlow();
    const beganAt = performance.now();
    await server.close();
    await expect(answered).rejects.toThrow();
    expect(performance.now() - beganAt).toBeGreaterThan(2900);
    answer();
  });
});

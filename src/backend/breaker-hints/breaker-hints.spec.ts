import { setTimeout as wait } from 'node:timers/promises';
import type { PinoLogger } from 'nestjs-pino';
import type { Config } from '../../config/config.schema.js';
import { chromaContract } from '../../downstream/chroma/chroma.contract.js';
import { testSettings } from '../../resilience/policy/testing/settings.js';
import { RecordedLog } from '../../resilience/report/testing/recorded-log.js';
import { ServiceRegistry } from '../../resilience/service-registry.js';
import type { Transport } from '../../resilience/wire/http-transport.js';
import { ResilientClient } from '../../resilience/wire/resilient-client.js';
import { describeWithRedis, eventually, RealRedis } from '../redis/testing/real-redis.js';
import { BreakerHints } from './breaker-hints.service.js';

const THRESHOLD = 3;
const RECOVERY_MS = 400;
const PROBE_DELAY_MS = 100;
/** For a message through Redis. */
const TOLD_MS = 100;

/** What stands behind the clients of all backends. */
class Service {
  works = true;
  attempts = 0;

  answer() {
    this.attempts += 1;
    return { status: this.works ? 200 : 500, headers: {}, body: Buffer.from('{"removed":true}') };
  }
}

describeWithRedis('breakers of two backends with one Redis', () => {
  let redis: RealRedis;
  beforeAll(async () => {
    redis = await RealRedis.start();
  });
  afterEach(() => redis.closeLinks());
  afterAll(() => redis.remove());

  async function backend(service: Service, enabled = true) {
    const log = new RecordedLog();
    const registry = new ServiceRegistry(log as unknown as PinoLogger);
    const send = async () => service.answer();
    const client = new ResilientClient({
      service: 'chroma',
      title: 'Chroma Server',
      settings: testSettings({ max_retries: 1, failure_threshold: THRESHOLD, recovery_timeout_ms: RECOVERY_MS }),
      connect: () => ({ send }) as unknown as Transport,
      headers: () => ({}),
      sink: log,
      onTransition: (transition) => registry.announce({ service: 'chroma', ...transition }),
    });
    registry.add(client);
    const config = { redis: { breaker_hints: { enabled, probe_delay_ms: PROBE_DELAY_MS } } } as Config;
    const link = await redis.link();
    new BreakerHints(config, registry, link, log as unknown as PinoLogger);
    const call = async () => {
      const context = { requestId: 'r', deadlineMs: performance.now() + 5000 };
      const input = { body: { project_id: 'p', path: 'a' } };
      await client.call(chromaContract.remove, input, context).catch(() => undefined);
    };
    const fail = async (times: number) => {
      for (let i = 0; i < times; i++) await call();
    };
    return { client, call, fail, log, link };
  }

  /** Calls both all the time until it is stopped. */
  function load(...backends: { call: () => Promise<void> }[]): () => Promise<void> {
    let goesOn = true;
    const loops = backends.map(async ({ call }) => {
      while (goesOn) {
        await call();
        await wait(5);
      }
    });
    return async () => {
      goesOn = false;
      await Promise.all(loops);
    };
  }

  it('open at one failure after another one has opened', async () => {
    const service = new Service();
    const [a, b] = [await backend(service), await backend(service)];
    await Promise.all([a.call(), b.call()]);
    service.works = false;
    await a.fail(THRESHOLD);
    expect(a.client.state).toBe('open');
    await eventually(async () => b.log.lines.includes('[Chroma Server] Circuit breaker OPEN at another backend'));
    expect(b.client.state).toBe('closed');
    await b.call();
    expect(b.client.state).toBe('open');
    expect(b.log.lines).toContain('[Chroma Server] Circuit breaker OPEN (it failed here too, as at another process)');
  });

  it('stay closed where the service works, whatever another one has found', async () => {
    const [dead, alive] = [new Service(), new Service()];
    dead.works = false;
    const [a, b] = [await backend(dead), await backend(alive)];
    await a.fail(THRESHOLD);
    await wait(TOLD_MS);
    await b.call();
    alive.works = false;
    await b.fail(THRESHOLD - 1);
    expect(b.client.state).toBe('closed');
  });

  it('probe once for both in each recovery time, and close soon after the first success', async () => {
    const service = new Service();
    const backends = [await backend(service), await backend(service)];
    const [a, b] = backends as [(typeof backends)[0], (typeof backends)[0]];
    service.works = false;
    await Promise.all([a.fail(THRESHOLD), b.fail(THRESHOLD)]);
    expect([a.client.state, b.client.state]).toEqual(['open', 'open']);
    const before = service.attempts;
    const stop = load(a, b);
    await wait(2.5 * RECOVERY_MS);
    // A probe of each alone would be four by now.
    expect(service.attempts - before).toBe(2);
    service.works = true;
    await eventually(async () => a.client.state === 'closed' || b.client.state === 'closed');
    const closedMs = performance.now();
    await eventually(async () => a.client.state === 'closed' && b.client.state === 'closed');
    expect(performance.now() - closedMs).toBeLessThan(RECOVERY_MS / 2);
    await stop();
  });

  it('probe by themselves when the one that probes first has no calls', async () => {
    const service = new Service();
    const backends = [await backend(service), await backend(service)];
    service.works = false;
    await Promise.all(backends.map(({ fail }) => fail(THRESHOLD)));
    await wait(TOLD_MS);
    service.works = true;
    // Only one of them has calls at a time, so the other never probes.
    for (const { call, client } of backends) {
      const stop = load({ call });
      await eventually(async () => client.state === 'closed');
      await stop();
    }
  });

  it('decide alone while Redis is away, and where hints are off', async () => {
    const service = new Service();
    const [a, b, off] = [await backend(service), await backend(service), await backend(service, false)];
    service.works = false;
    await redis.stop();
    await eventually(async () => !a.link.isUsable && !b.link.isUsable);
    await a.fail(THRESHOLD);
    await b.fail(THRESHOLD - 1);
    expect([a.client.state, b.client.state]).toEqual(['open', 'closed']);
    await b.call();
    expect(b.client.state).toBe('open');
    await redis.start();
    await eventually(async () => off.link.isUsable && a.link.isUsable);
    await off.fail(THRESHOLD - 1);
    expect(off.client.state).toBe('closed');
  });

  it('tell nothing of a service that an operator has isolated at one of them', async () => {
    const service = new Service();
    const [a, b] = [await backend(service), await backend(service)];
    const release = a.client.isolate('ann');
    await wait(TOLD_MS);
    service.works = false;
    await b.fail(THRESHOLD - 1);
    release();
    await wait(TOLD_MS);
    expect([a.client.state, b.client.state]).toEqual(['closed', 'closed']);
  });
});

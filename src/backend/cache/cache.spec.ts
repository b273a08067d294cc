import { setTimeout as wait } from 'node:timers/promises';
import type { Cache } from './cache.js';
import { MemoryCache } from './memory-cache.js';
import { describeWithRedis, eventually, RealRedis } from '../redis/testing/real-redis.js';
import { RedisCache } from './redis-cache.js';
import { SharedCache } from './shared-cache.js';

const TTL_MS = 60_000;
const memory = () => new MemoryCache({ maxBytes: 1_000_000, ttlMs: TTL_MS });

async function keep(cache: Cache, scope: string, key: string, value: unknown): Promise<void> {
  (await cache.open(scope, key)).keep(value, 10);
}
const valueOf = async (cache: Cache, scope: string, key: string) => (await cache.open(scope, key)).value;

function keepsItsPromises(make: () => Promise<Cache>): void {
  it('finds a stored value, in its scope only', async () => {
    const cache = await make();
    await keep(cache, 'ann/p', 'k', { text: 'größe', n: [1, null] });
    await eventually(async () => (await valueOf(cache, 'ann/p', 'k')) !== undefined);
    expect(await valueOf(cache, 'ann/p', 'k')).toEqual({ text: 'größe', n: [1, null] });
    expect(await valueOf(cache, 'bob/p', 'k')).toBeUndefined();
    expect(await valueOf(cache, 'ann/p', 'other')).toBeUndefined();
  });

  it('finds nothing in a scope that was emptied, and all values of other scopes', async () => {
    const cache = await make();
    await keep(cache, 'ann/p', 'k', 1);
    await keep(cache, 'ann/q', 'k', 2);
    await eventually(async () => (await valueOf(cache, 'ann/q', 'k')) === 2);
    cache.empty('ann/p');
    expect(await valueOf(cache, 'ann/p', 'k')).toBeUndefined();
    expect(await valueOf(cache, 'ann/q', 'k')).toBe(2);
    await keep(cache, 'ann/p', 'k', 3);
    await eventually(async () => (await valueOf(cache, 'ann/p', 'k')) === 3);
  });

  it('does not store a value that became outdated during its computation', async () => {
    const cache = await make();
    const slot = await cache.open('ann/p', 'k');
    cache.empty('ann/p');
    await cache.open('ann/p', 'other');
    slot.keep('old', 10);
    await wait(20);
    expect(await valueOf(cache, 'ann/p', 'k')).toBeUndefined();
  });
}

describe('MemoryCache', () => {
  keepsItsPromises(async () => memory());

  it('drops the oldest when it is full', async () => {
    const cache = new MemoryCache({ maxBytes: 25, ttlMs: TTL_MS });
    for (const key of ['a', 'b', 'c']) await keep(cache, 's', key, key);
    expect(await valueOf(cache, 's', 'a')).toBeUndefined();
    expect(await valueOf(cache, 's', 'c')).toBe('c');
  });
});

describeWithRedis('SharedCache on a real Redis', () => {
  let redis: RealRedis;
  /** As one backend has it. */
  const backend = async () => {
    const shared = new RedisCache(await redis.link(), TTL_MS);
    const cache = new SharedCache(memory(), shared);
    await eventually(async () => (await shared.find('any', 'any')) !== null);
    return cache;
  };

  beforeAll(async () => {
    redis = await RealRedis.start();
  });
  afterEach(() => redis.closeLinks());
  afterAll(() => redis.remove());

  keepsItsPromises(backend);

  it('is shared by several backends: each finds the values of the others, and none after another has emptied the scope', async () => {
    const [a, b] = [await backend(), await backend()];
    await keep(a, 'ann/p', 'k', 'shared');
    await eventually(async () => (await valueOf(b, 'ann/p', 'k')) === 'shared');
    b.empty('ann/p');
    await eventually(async () => (await valueOf(a, 'ann/p', 'k')) === undefined);
  });

  it('uses the memory without a delay while Redis hangs or is unavailable, and returns no outdated values afterwards', async () => {
    const [a, b] = [await backend(), await backend()];
    await keep(a, 'ann/p', 'k', 'old');
    await eventually(async () => (await valueOf(b, 'ann/p', 'k')) === 'old');

    redis.signal('SIGSTOP');
    const beganAt = performance.now();
    expect(await valueOf(a, 'ann/p', 'k')).toBe('old');
    for (let i = 0; i < 100; i++) await valueOf(a, 'ann/p', 'k');
    expect(performance.now() - beganAt).toBeLessThan(500);
    a.empty('ann/p');
    expect(await valueOf(a, 'ann/p', 'k')).toBeUndefined();

    redis.signal('SIGCONT');
    await eventually(async () => (await valueOf(b, 'ann/p', 'k')) === undefined);
    await eventually(async () => {
      await keep(a, 'ann/p', 'k', 'new');
      return (await valueOf(b, 'ann/p', 'k')) === 'new';
    });

    await redis.stop();
    await wait(50);
    await keep(b, 'ann/p', 'own', 1);
    expect(await valueOf(b, 'ann/p', 'own')).toBe(1);
    await redis.start();
    await eventually(async () => {
      await keep(a, 'ann/p', 'again', 2);
      return (await valueOf(b, 'ann/p', 'again')) === 2;
    });
  });
});

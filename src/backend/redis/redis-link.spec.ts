import { createClient } from '@redis/client';
import { RedisLink } from './redis-link.js';
import { describeWithRedis, eventually, RealRedis } from './testing/real-redis.js';

describeWithRedis('a Redis that is a replica', () => {
  it('counts as unavailable, is told once with its reason, and is used after it has become a primary', async () => {
    const [primary, replica] = [await RealRedis.start(), await RealRedis.start()];
    const operator = await createClient({ url: replica.url }).connect();
    const { hostname, port } = new URL(primary.url);
    await operator.sendCommand(['REPLICAOF', hostname, port]);
    const lines: string[] = [];
    const log = {
      info: (_: object, line: string) => lines.push(line),
      warn: (_: object, line: string) => lines.push(line),
    };
    const link = new RedisLink({ url: replica.url, password: undefined }, 500, log as never);
    try {
      await new Promise((resolve) => setTimeout(resolve, 2500));
      expect(link.isUsable).toBe(false);
      expect(lines).toEqual([expect.stringMatching(/REDIS_URL.*READONLY/)]);
      await operator.sendCommand(['REPLICAOF', 'NO', 'ONE']);
      await eventually(async () => link.isUsable);
      expect(lines.slice(1)).toEqual(['Redis is there']);
    } finally {
      operator.destroy();
      await link.close();
      await Promise.all([primary.remove(), replica.remove()]);
    }
  }, 30_000);

  it('that does not answer at the start is told once, too', async () => {
    const lines: string[] = [];
    const log = { info: () => undefined, warn: (_: object, line: string) => lines.push(line) };
    const link = new RedisLink({ url: 'redis://127.0.0.1:1', password: undefined }, 500, log as never);
    await new Promise((resolve) => setTimeout(resolve, 2500));
    expect(lines).toEqual([expect.stringMatching(/REDIS_URL.*ECONNREFUSED/)]);
    await link.close();
  });
});

import type { FastifyReply } from 'fastify';
import type { Config } from '../../../config/config.schema.js';
import { describeWithRedis, eventually, RealRedis } from '../../redis/testing/real-redis.js';
import { RateLimits } from './rate-limits.service.js';

const reply = { header: () => undefined } as unknown as FastifyReply;
const config = { rate_limit: { enabled: true, per_user: 10, per_address: 10, sign_in: 10 } } as Config;
const allowed = async (limits: readonly RateLimits[], user: string, requests: number) => {
  const counted = Array.from({ length: requests }, (_, i) =>
    (limits[i % limits.length] as RateLimits).countUser(user, reply).then(
      () => 1,
      () => 0,
    ),
  );
  return (await Promise.all<number>(counted)).reduce((sum, one) => sum + one, 0);
};

it('counts by user in the memory of one backend', async () => {
  const limits = [new RateLimits(config, null)];
  expect(await allowed(limits, 'ann', 15)).toBe(10);
  expect(await allowed(limits, 'bob', 5)).toBe(5);
});

describeWithRedis('two backends with one Redis', () => {
  let redis: RealRedis;
  beforeAll(async () => {
    redis = await RealRedis.start();
  });
  afterAll(() => redis.remove());

  it('count together, and each by itself while Redis is away or hangs', async () => {
    const links = [await redis.link(), await redis.link()];
    const limits = links.map((link) => new RateLimits(config, link));
    expect(await allowed(limits, 'ann', 30)).toBe(10);
    redis.signal('SIGSTOP');
    expect(await allowed(limits, 'carl', 30)).toBe(20);
    redis.signal('SIGCONT');
    await eventually(async () => links.every((link) => link.isUsable));
    expect(await allowed(limits, 'dora', 30)).toBe(10);
    await redis.stop();
    await eventually(async () => links.every((link) => !link.isUsable));
    expect(await allowed(limits, 'emil', 30)).toBe(20);
  });
});

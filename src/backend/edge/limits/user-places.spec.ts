import { setTimeout as wait } from 'node:timers/promises';
import { describeWithRedis, eventually, RealRedis } from '../../redis/testing/real-redis.js';
import { UserPlaces } from './user-places.js';

const MOST = 4;
const ABANDONED_MS = 600;

/** Tries to take places one after the other. @returns how many were taken */
async function fill(backends: readonly UserPlaces[], user: string, tries: number): Promise<number> {
  let taken = 0;
  for (let n = 0; n < tries; n++) {
    const places = backends[n % backends.length] as UserPlaces;
    const place = `${user}${n}`;
    if (!places.take(user, place)) continue;
    if (await places.share(user, place)) taken += 1;
    else places.leave(user, place);
  }
  return taken;
}

it('limits the places of each user at one backend', async () => {
  const alone = new UserPlaces('test', MOST, null);
  expect(await fill([alone], 'ann', 6)).toBe(MOST);
  expect(await fill([alone], 'bob', 2)).toBe(2);
  alone.leave('ann', 'ann0');
  expect(await fill([alone], 'ann', 6)).toBe(1);
  alone.leave('ann', 'none');
  expect(alone.take('ann', 'one more')).toBe(false);
});

describeWithRedis('the places of a user at two backends with one Redis', () => {
  let redis: RealRedis;
  beforeAll(async () => {
    redis = await RealRedis.start();
  });
  afterEach(() => redis.closeLinks());
  afterAll(() => redis.remove());

  async function two() {
    const links = [await redis.link(), await redis.link()];
    return { links, backends: links.map((link) => new UserPlaces('test', MOST, link, ABANDONED_MS)) };
  }
  const userOf = (test: string) => `${test}${Math.random()}`;

  it('are counted together, and become free at either', async () => {
    const { backends } = await two();
    const [a, b] = backends as [UserPlaces, UserPlaces];
    const user = userOf('together');
    expect(await fill(backends, user, 8)).toBe(MOST);
    a.leave(user, `${user}0`);
    await eventually(async () => b.take(user, 'next') && (await b.share(user, 'next')));
    expect(a.take(user, 'last') && (await a.share(user, 'last'))).toBe(false);
  });

  it('are not exceeded by requests that arrive together', async () => {
    const { backends } = await two();
    const user = userOf('race');
    const taken = await Promise.all(
      Array.from({ length: 8 }, async (_, n) => {
        const places = backends[n % 2] as UserPlaces;
        return places.take(user, String(n)) && (await places.share(user, String(n)));
      }),
    );
    expect(taken.filter(Boolean)).toHaveLength(MOST);
  });

  it('stay taken while their backend lives, and become free some time after it was killed', async () => {
    const { backends, links } = await two();
    const [a, b] = backends as [UserPlaces, UserPlaces];
    const user = userOf('killed');
    expect(await fill([a], user, MOST)).toBe(MOST);
    await wait(2 * ABANDONED_MS);
    expect(b.take(user, 'x') && (await b.share(user, 'x'))).toBe(false);
    b.leave(user, 'x');
    await links[0]?.close();
    await wait(1.5 * ABANDONED_MS);
    expect(await fill([b], user, MOST)).toBe(MOST);
  });

  it('are counted by each backend while Redis is away, and together again afterwards', async () => {
    const { backends, links } = await two();
    const user = userOf('away');
    await redis.stop();
    await eventually(async () => links.every((link) => !link.isUsable));
    expect(await fill(backends, user, 6)).toBe(6);
    await redis.start();
    await eventually(async () => links.every((link) => link.isUsable));
    await wait(ABANDONED_MS);
    expect(await fill(backends, user, 2)).toBe(0);
  });
});

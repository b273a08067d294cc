import { Semaphore } from './semaphore.js';

/** Work that ends when it is told to. */
function held() {
  const ends: (() => void)[] = [];
  const begun: string[] = [];
  const work = (name: string) => () => {
    begun.push(name);
    return new Promise<void>((resolve) => ends.push(resolve));
  };
  const end = async () => {
    ends.shift()?.();
    await new Promise((resolve) => setTimeout(resolve, 1));
  };
  return { work, begun, end };
}

const LIMITS = { concurrent: 3, perUser: 2, waiting: 4, waitMs: 10_000 };

it('limits a user to a share, and keeps the rest for others', async () => {
  const semaphore = new Semaphore(LIMITS, 'work');
  const { work, begun, end } = held();
  const passes = ['a1', 'a2', 'a3', 'a4'].map((name) => semaphore.pass('ann', work(name)));
  passes.push(semaphore.pass('bob', work('b1')));
  await Promise.resolve();
  expect(begun).toEqual(['a1', 'a2', 'b1']);
  for (let i = 0; i < 5; i++) await end();
  await Promise.all(passes);
  expect(begun).toEqual(['a1', 'a2', 'b1', 'a3', 'a4']);
});

it('starts waiting work in turns of the users', async () => {
  const semaphore = new Semaphore({ ...LIMITS, concurrent: 1, perUser: 1 }, 'work');
  const { work, begun, end } = held();
  const users = { a: 3, b: 2, c: 1 };
  const passes = Object.entries(users).flatMap(([user, n]) =>
    Array.from({ length: n }, (_, i) => semaphore.pass(user, work(`${user}${i + 1}`))),
  );
  for (let i = 0; i < 6; i++) await end();
  await Promise.all(passes);
  expect(begun).toEqual(['a1', 'a2', 'b1', 'c1', 'a3', 'b2']);
});

it('refuses work when the queue is full, and work that waits too long', async () => {
  const semaphore = new Semaphore({ concurrent: 1, perUser: 1, waiting: 1, waitMs: 20 }, 'work');
  const { work, end } = held();
  const first = semaphore.pass('ann', work('1'));
  const second = semaphore.pass('ann', work('2'));
  const refused = { problem: { status: 429, code: 'saturated', retryAfter: 2 } };
  await expect(semaphore.pass('ann', work('3'))).rejects.toMatchObject(refused);
  await expect(second).rejects.toMatchObject(refused);
  const other = semaphore.pass('bob', work('4'));
  await end();
  await first;
  await end();
  await other;
});

it('releases a place when work fails', async () => {
  const semaphore = new Semaphore({ concurrent: 1, perUser: 1, waiting: 1, waitMs: 20 }, 'work');
  await expect(semaphore.pass('ann', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(await semaphore.pass('ann', () => Promise.resolve('yes'))).toBe('yes');
});

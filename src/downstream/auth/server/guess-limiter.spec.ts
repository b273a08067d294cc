import { type Problem } from '../../../http/problem.js';
import { GuessLimiter } from './guess-limiter.js';
import { describeStores } from './testing/each-engine.js';

describeStores('GuessLimiter', (openStores) => {
  let limiter: GuessLimiter;
  let now: number;
  const open = async () => {
    limiter = new GuessLimiter((await openStores()).guesses, () => now);
  };

  beforeEach(async () => {
    now = 1_000_000;
    await open();
  });

  /** `good`, `bad`, or for how many seconds the attempt is refused. */
  const attempt = (account: string, address: string | undefined, good: boolean) =>
    limiter
      .attempt(account, address, () => Promise.resolve(good ? 'session' : undefined))
      .then(
        (result) => (result === undefined ? 'bad' : 'good'),
        (error: unknown) => (error as Problem).problem.retryAfter,
      );
  const fail = async (times: number, account: string, address?: string) => {
    for (let i = 0; i < times; i++) expect(await attempt(account, address, false)).toBe('bad');
  };

  it('doubles the wait with each further failure, up to 30 s for an account', async () => {
    await fail(6, 'ada');
    for (const seconds of [1, 2, 4, 8, 16, 30, 30]) {
      expect(await attempt('ada', undefined, true)).toBe(seconds);
      now += seconds * 1000;
      expect(await attempt('ada', undefined, false)).toBe('bad');
    }
    now += 30_000;
    expect(await attempt('ada', undefined, true)).toBe('good');
    await fail(5, 'ada');
  });

  it('does not extend the wait for an attempt that is refused', async () => {
    await fail(6, 'ada');
    for (let i = 0; i < 100; i++) await attempt('ada', undefined, false);
    now += 1000;
    expect(await attempt('ada', undefined, true)).toBe('good');
  });

  it('slows an address that tries many accounts, and no other address', async () => {
    for (let i = 0; i < 21; i++) await fail(1, `account${i}`, '10.0.0.1');
    expect(await attempt('ada', '10.0.0.1', true)).toBe(1);
    expect(await attempt('ada', '10.0.0.2', true)).toBe('good');
  });

  it('is not reset for the address by a sign-in to the account of the guesser', async () => {
    for (let i = 0; i < 20; i++) {
      await fail(1, `account${i}`, '10.0.0.1');
      expect(await attempt('own', '10.0.0.1', true)).toBe('good');
    }
    await fail(1, 'last', '10.0.0.1');
    expect(await attempt('own', '10.0.0.1', true)).toBe(1);
  });

  it('accepts the owner from an address that was used before, whatever strangers do', async () => {
    expect(await attempt('ada', '10.0.0.1', true)).toBe('good');
    for (let i = 0; i < 6; i++) await fail(1, 'ada', `10.0.1.${i}`);
    expect(await attempt('ada', '10.0.2.1', true)).toBe(1);
    expect(await attempt('ada', '10.0.0.1', true)).toBe('good');
    await fail(6, 'ada', '10.0.0.1');
    expect(await attempt('ada', '10.0.0.1', true)).toBe(1);
  });

  it('counts running attempts, and subtracts those that reached no answer', async () => {
    const never = new Promise<undefined>(() => undefined);
    for (let i = 0; i < 6; i++) {
      const begun = new Promise<void>((resolve) => {
        void limiter.attempt('ada', undefined, () => (resolve(), never));
      });
      await begun;
    }
    expect(await attempt('ada', undefined, true)).toBe(1);
    for (let i = 0; i < 50; i++) {
      await expect(limiter.attempt('bob', undefined, () => Promise.reject(new Error('busy')))).rejects.toThrow('busy');
    }
    expect(await attempt('bob', undefined, true)).toBe('good');
  });

  it('keeps failures over a restart and deletes them after some time', async () => {
    await fail(6, 'ada');
    await open();
    expect(await attempt('ada', undefined, true)).toBe(1);
    now += 900_000;
    await fail(5, 'ada');
    expect(await attempt('ada', undefined, true)).toBe('good');
  });
});

import { type Problem } from '../../../../http/problem.js';
import { PasswordHasher } from './password-hasher.js';

describe('PasswordHasher', () => {
  const hasher = new PasswordHasher(1024);

  it('distinguishes the right password from others, in any Unicode composition', async () => {
    const hash = await hasher.hash('caf\u00e9 noir');
    expect(await hasher.matches('cafe\u0301 noir', hash)).toBe(true);
    expect(await hasher.matches('cafe noir', hash)).toBe(false);
    expect(await hasher.matches('', undefined)).toBe(false);
  });

  it('uses a random salt', async () => {
    expect(await hasher.hash('same')).not.toBe(await hasher.hash('same'));
  });

  it('verifies hashes of another cost, and reports that they must be renewed', async () => {
    const stronger = new PasswordHasher(2048);
    const hash = await hasher.hash('secret');
    expect(await stronger.matches('secret', hash)).toBe(true);
    expect(stronger.isOutdated(hash)).toBe(true);
    expect(stronger.isOutdated(await stronger.hash('secret'))).toBe(false);
  });

  it('runs a few hashes at a time and refuses more than may wait', async () => {
    const busy = new PasswordHasher(1024, { concurrent: 2, waiting: 3 });
    const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => busy.hash('x')));
    const refused = outcomes.filter((outcome) => outcome.status === 'rejected');
    expect(refused).toHaveLength(3);
    expect((refused[0]?.reason as Problem).problem).toMatchObject({ status: 429, code: 'saturated', retryAfter: 2 });
    expect(await busy.hash('x')).toMatch(/^scrypt\$1024\$8\$1\$/);
  });

  it('does the same work for an unknown account as for a wrong password', async () => {
    const slow = new PasswordHasher(2 ** 14);
    const hash = await slow.hash('right');
    const timeOf = async (known: boolean) => {
      const started = performance.now();
      for (let i = 0; i < 5; i++) await slow.matches('wrong', known ? hash : undefined);
      return performance.now() - started;
    };
    await timeOf(true);
    const ratios = [];
    for (let i = 0; i < 5; i++) ratios.push((await timeOf(false)) / (await timeOf(true)));
    const median = ratios.sort((a, b) => a - b)[2] as number;
    expect(median).toBeGreaterThan(0.5);
    expect(median).toBeLessThan(2);
  });
});

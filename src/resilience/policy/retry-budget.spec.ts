import { RetryBudget } from './retry-budget.js';
import { VirtualClock } from './testing/virtual-clock.js';

const settings = { ratio: 0.25, reserve: 2, refill_per_s: 0.5 };

function spend(budget: RetryBudget): number {
  let spent = 0;
  while (budget.withdraw()) spent++;
  return spent;
}

describe('a retry budget', () => {
  it('starts full, and is empty when it is spent', () => {
    const budget = new RetryBudget(settings, new VirtualClock());
    expect(budget.available).toBe(2);
    expect(spend(budget)).toBe(2);
    expect(budget.available).toBe(0);
  });

  it('gains retries with calls, up to the reserve', () => {
    const budget = new RetryBudget({ ...settings, refill_per_s: 0 }, new VirtualClock());
    spend(budget);
    for (let i = 0; i < 3; i++) budget.deposit();
    expect(budget.withdraw()).toBe(false);
    budget.deposit();
    expect(budget.withdraw()).toBe(true);
    for (let i = 0; i < 100; i++) budget.deposit();
    expect(budget.available).toBe(2);
  });

  it('gains retries with time, up to the reserve, and counts no interval twice', async () => {
    const clock = new VirtualClock();
    const budget = new RetryBudget(settings, clock);
    spend(budget);
    await clock.pass(1000);
    expect(budget.available).toBe(0.5);
    expect(budget.available).toBe(0.5);
    await clock.pass(1000);
    expect(spend(budget)).toBe(1);
    await clock.pass(3_600_000);
    expect(budget.available).toBe(2);
  });

  it('takes over new settings without extra retries', () => {
    const budget = new RetryBudget(settings, new VirtualClock());
    budget.reconfigure({ ...settings, reserve: 1 });
    expect(budget.available).toBe(1);
    budget.reconfigure({ ...settings, reserve: 10 });
    expect(budget.available).toBe(1);
  });
});

import { CircuitState } from 'cockatiel';
import { breakerStrategy, FailureRate } from './breaker-strategy.js';
import { testSettings } from './testing/settings.js';
import { VirtualClock } from './testing/virtual-clock.js';

const settings = { window_ms: 10_000, min_calls: 4, failure_rate: 0.5 };

describe('FailureRate', () => {
  it('opens at the rate, once it has counted the minimum number of calls', () => {
    const rate = new FailureRate(settings, new VirtualClock());
    expect(rate.failure()).toBe(false);
    expect(rate.failure()).toBe(false);
    expect(rate.failure()).toBe(false);
    expect(rate.failure()).toBe(true);
    expect(rate.failures).toBe(4);
    expect(rate.describe()).toBe('4 of 4 calls/50%');
  });

  it('stays closed below the rate', () => {
    const rate = new FailureRate(settings, new VirtualClock());
    for (let i = 0; i < 10; i++) rate.success();
    for (let i = 0; i < 9; i++) expect(rate.failure()).toBe(false);
    expect(rate.failure()).toBe(true);
  });

  it('drops its counts slot by slot as time passes', async () => {
    const clock = new VirtualClock();
    const rate = new FailureRate(settings, clock);
    rate.failure();
    await clock.pass(5000);
    rate.failure();
    await clock.pass(4999);
    expect(rate.state).toEqual({ successes: 0, failures: 2 });
    await clock.pass(1);
    expect(rate.state).toEqual({ successes: 0, failures: 1 });
    await clock.pass(5000);
    expect(rate.state).toEqual({ successes: 0, failures: 0 });
    rate.success();
    expect(rate.state).toEqual({ successes: 1, failures: 0 });
  });

  it('takes over the counts of another strategy', () => {
    const rate = new FailureRate(settings, new VirtualClock());
    rate.success();
    rate.state = { successes: 2, failures: 3 };
    expect(rate.state).toEqual({ successes: 3, failures: 3 });
  });
});

describe('breakerStrategy', () => {
  it('creates the configured kind', () => {
    const clock = new VirtualClock();
    const consecutive = breakerStrategy(testSettings({ failure_threshold: 2 }), clock);
    expect(consecutive.failure(CircuitState.Closed)).toBe(false);
    expect(consecutive.failures).toBe(1);
    expect(consecutive.failure(CircuitState.Closed)).toBe(true);
    expect(consecutive.describe()).toBe('2/2');
    const { breaker } = testSettings();
    expect(breakerStrategy(testSettings({ breaker: { ...breaker, kind: 'failure_rate' } }), clock)).toBeInstanceOf(
      FailureRate,
    );
    expect(breakerStrategy(testSettings({ breaker: { ...breaker, kind: 'slow_calls' } }), clock)).toBeInstanceOf(
      FailureRate,
    );
  });
});

import type { DownstreamSettings } from '../../config/config.schema.js';
import { CircuitBreaker, type Ticket, type Transition } from './circuit-breaker.js';
import { testSettings } from './testing/settings.js';
import { VirtualClock } from './testing/virtual-clock.js';

const ticket = (): Ticket => ({ generation: 0, ramp: undefined });

function rig(over: Partial<DownstreamSettings> = {}) {
  const clock = new VirtualClock();
  const transitions: Transition[] = [];
  const breaker = new CircuitBreaker(testSettings(over), clock, (transition) => transitions.push(transition));
  const enter = () => {
    const one = ticket();
    breaker.enter(one);
    return one;
  };
  const fail = (times = 1) => {
    for (let i = 0; i < times; i++) breaker.report(enter(), 'failure', 1);
  };
  const openThenHalfOpen = async () => {
    fail(3);
    await clock.pass(10_000);
    return enter();
  };
  return { clock, transitions, breaker, enter, fail, openThenHalfOpen };
}

describe('a closed breaker', () => {
  it('admits every attempt, and has the time of its last change', () => {
    const { breaker, clock } = rig();
    expect(breaker.name).toBe('closed');
    expect(breaker.refusal()).toBeUndefined();
    expect(breaker.hasRoom).toBe(true);
    expect(breaker.changedAt).toBe(clock.wallMs());
  });

  it('counts failures in a row, and one success sets the count to 0', () => {
    const { breaker, enter, fail } = rig();
    fail(2);
    expect(breaker.failures).toBe(2);
    breaker.report(enter(), 'success', 1);
    expect(breaker.failures).toBe(0);
    fail(2);
    expect(breaker.name).toBe('closed');
  });

  it('does not count neutral outcomes', () => {
    const { breaker, enter, fail } = rig();
    fail(2);
    breaker.report(enter(), 'neutral', 1);
    expect(breaker.failures).toBe(2);
    expect(breaker.name).toBe('closed');
  });

  it('stays closed after slow successes', () => {
    const { breaker, enter } = rig();
    for (let i = 0; i < 10; i++) breaker.report(enter(), 'success', 4000);
    expect(breaker).toMatchObject({ name: 'closed', failures: 0 });
  });

  it('opens at the threshold and says why', async () => {
    const { breaker, clock, fail, transitions } = rig();
    await clock.pass(50);
    fail(3);
    expect(breaker).toMatchObject({ name: 'open', failures: 3 });
    const at = clock.wallMs();
    expect(transitions).toEqual([{ from: 'closed', to: 'open', why: 'threshold reached: 3/3', at }]);
    expect(breaker.changedAt).toBe(at);
  });

  it('counts the beginning of a long answer once, and its end once', () => {
    const { breaker, enter, fail } = rig();
    fail(2);
    const one = enter();
    breaker.alive(one);
    expect(breaker.failures).toBe(2);
    breaker.report(one, 'failure', 1);
    expect(breaker.name).toBe('open');
  });
});

describe('an open breaker', () => {
  it('refuses until the recovery time is over, and says how long that is', async () => {
    const { breaker, clock, fail } = rig();
    fail(3);
    expect(breaker.refusal()).toBe(10_000);
    await clock.pass(9_999);
    expect(breaker.refusal()).toBe(1);
    await clock.pass(1);
    expect(breaker.refusal()).toBeUndefined();
    expect(breaker.name).toBe('open');
    expect(breaker.hasRoom).toBe(true);
  });

  it('ignores results of attempts that began before it opened', () => {
    const { breaker, enter, fail, transitions } = rig();
    const early = [enter(), enter(), enter()] as const;
    fail(3);
    breaker.report(early[0], 'success', 1);
    breaker.report(early[1], 'failure', 1);
    breaker.alive(early[2]);
    expect(breaker).toMatchObject({ name: 'open', failures: 3 });
    expect(transitions).toHaveLength(1);
  });
});

describe('a half-open breaker', () => {
  it('admits one probe, and refuses the others with a time to retry after', async () => {
    const { breaker, openThenHalfOpen, transitions } = rig();
    await openThenHalfOpen();
    expect(breaker).toMatchObject({ name: 'half_open', failures: 3, hasRoom: true });
    expect(breaker.refusal()).toBe(1000);
    expect(transitions.at(-1)).toMatchObject({ from: 'open', to: 'half_open', why: 'the recovery time is over' });
  });

  it('closes when the probe succeeds', async () => {
    const { breaker, openThenHalfOpen, transitions } = rig();
    breaker.report(await openThenHalfOpen(), 'success', 1);
    expect(breaker).toMatchObject({ name: 'closed', failures: 0 });
    expect(breaker.refusal()).toBeUndefined();
    expect(transitions.at(-1)).toMatchObject({ from: 'half_open', to: 'closed', why: 'service recovered' });
  });

  it('opens with a new timer when the probe fails', async () => {
    const { breaker, clock, openThenHalfOpen, transitions } = rig();
    const probe = await openThenHalfOpen();
    await clock.pass(500);
    breaker.report(probe, 'failure', 1);
    expect(breaker).toMatchObject({ name: 'open', failures: 4 });
    expect(breaker.refusal()).toBe(10_000);
    expect(transitions.at(-1)?.why).toBe('threshold reached: 3/3');
  });

  it('admits another probe after a neutral outcome of the first', async () => {
    const { breaker, enter, openThenHalfOpen } = rig();
    breaker.report(await openThenHalfOpen(), 'neutral', 1);
    expect(breaker.name).toBe('half_open');
    expect(breaker.refusal()).toBeUndefined();
    const next = enter();
    expect(breaker.refusal()).toBe(1000);
    breaker.report(next, 'success', 1);
    expect(breaker.name).toBe('closed');
  });

  it('ignores results of attempts that began before, also during its probe', async () => {
    const { breaker, enter, openThenHalfOpen } = rig();
    const early = [enter(), enter(), enter()] as const;
    await openThenHalfOpen();
    breaker.report(early[0], 'success', 1);
    breaker.report(early[1], 'failure', 1);
    breaker.alive(early[2]);
    expect(breaker.name).toBe('half_open');
    expect(breaker.refusal()).toBe(1000);
  });

  it('closes when a long answer begins, and still counts its end', async () => {
    const { breaker, fail, openThenHalfOpen } = rig();
    const probe = await openThenHalfOpen();
    breaker.alive(probe);
    expect(breaker.name).toBe('closed');
    fail(2);
    breaker.report(probe, 'failure', 1);
    expect(breaker.name).toBe('open');
  });
});

describe('a breaker that has just closed', () => {
  const recovered = async (concurrency: number) => {
    const made = rig({ bulkhead: { concurrency, queue: 0, adaptive: false } });
    made.breaker.report(await made.openThenHalfOpen(), 'success', 1);
    const fill = () => {
      const entered: Ticket[] = [];
      while (made.breaker.hasRoom && entered.length < 100) entered.push(made.enter());
      return entered;
    };
    return { ...made, fill };
  };

  it('admits 1 attempt, then 2, then 4, then all', async () => {
    const { breaker, fill } = await recovered(8);
    const steps = [];
    for (let step = 0; step < 4; step++) {
      const entered = fill();
      steps.push(entered.length);
      for (const one of entered) breaker.report(one, 'success', 1);
    }
    expect(steps).toEqual([1, 2, 4, 100]);
  });

  it('does not raise its limit while attempts fail', async () => {
    const { breaker, fill } = await recovered(8);
    const [first] = fill() as [Ticket];
    breaker.report(first, 'failure', 1);
    expect(fill()).toHaveLength(1);
  });

  it('counts the beginning of a long answer as a success', async () => {
    const { breaker, fill } = await recovered(8);
    const [first] = fill() as [Ticket];
    breaker.alive(first);
    expect(fill()).toHaveLength(2);
    breaker.report(first, 'success', 1);
    expect(breaker.hasRoom).toBe(false);
  });

  it('does not count attempts that began before it closed', async () => {
    const { breaker, enter, clock, fail } = rig({ bulkhead: { concurrency: 8, queue: 0, adaptive: false } });
    const early = enter();
    fail(3);
    await clock.pass(10_000);
    breaker.report(enter(), 'success', 1);
    const first = enter();
    breaker.report(early, 'success', 1);
    expect(breaker.hasRoom).toBe(false);
    breaker.report(first, 'success', 1);
    expect(breaker.hasRoom).toBe(true);
  });

  it('has no steps where one attempt at a time is the limit', async () => {
    const { fill } = await recovered(1);
    expect(fill()).toHaveLength(100);
  });
});

describe('an isolation', () => {
  it('refuses everything, and restores the previous state at its end', async () => {
    const { breaker, clock, fail, transitions } = rig();
    fail(2);
    const release = breaker.isolate('ada');
    expect(breaker).toMatchObject({ name: 'open', failures: 2, isolatedBy: ['ada'] });
    expect(breaker.refusal()).toBe(1000);
    await clock.pass(3_600_000);
    expect(breaker.refusal()).toBe(1000);
    release();
    expect(breaker).toMatchObject({ name: 'closed', failures: 2, isolatedBy: [] });
    expect(transitions.map(({ from, to, why }) => [from, to, why])).toEqual([
      ['closed', 'open', 'isolated by ada'],
      ['open', 'closed', 'released by ada'],
    ]);
  });

  it('of an open breaker ends with an open breaker whose recovery time has continued', async () => {
    const { breaker, clock, fail, transitions } = rig();
    fail(3);
    const release = breaker.isolate('ada');
    await clock.pass(4000);
    release();
    expect(breaker.name).toBe('open');
    expect(breaker.refusal()).toBe(6000);
    expect(transitions).toHaveLength(1);
  });

  it('drops the running probe', async () => {
    const { breaker, openThenHalfOpen } = rig();
    const probe = await openThenHalfOpen();
    const release = breaker.isolate('ada');
    breaker.report(probe, 'failure', 1);
    release();
    expect(breaker.name).toBe('half_open');
    expect(breaker.refusal()).toBeUndefined();
  });

  it('ignores results of attempts that ran during it', () => {
    const { breaker, enter } = rig();
    const early = [enter(), enter(), enter(), enter()];
    const release = breaker.isolate('ada');
    for (const one of early.slice(0, 3)) breaker.report(one, 'failure', 1);
    release();
    for (const one of early.slice(3)) breaker.report(one, 'failure', 1);
    expect(breaker).toMatchObject({ name: 'closed', failures: 0 });
  });

  it('lasts until each operator has ended it, and each can end it once', () => {
    const { breaker, enter, transitions } = rig();
    const ada = breaker.isolate('ada');
    const bob = breaker.isolate('bob');
    expect(breaker.isolatedBy).toEqual(['ada', 'bob']);
    ada();
    ada();
    expect(breaker).toMatchObject({ name: 'open', isolatedBy: ['bob'] });
    bob();
    expect(breaker.name).toBe('closed');
    expect(transitions).toHaveLength(2);
    const after = enter();
    bob();
    breaker.report(after, 'failure', 1);
    expect(breaker.failures).toBe(1);
  });

  it('can be ended for all operators at once', () => {
    const { breaker, transitions } = rig();
    expect(breaker.release('eve')).toBe(false);
    const ada = breaker.isolate('ada');
    breaker.isolate('bob');
    expect(breaker.release('eve')).toBe(true);
    expect(breaker).toMatchObject({ name: 'closed', isolatedBy: [] });
    expect(transitions.at(-1)?.why).toBe('released by eve');
    ada();
    expect(breaker.name).toBe('closed');
    expect(transitions).toHaveLength(2);
  });

  it('begins a new generation when it ends', () => {
    const { breaker, enter } = rig({ failure_threshold: 1 });
    breaker.isolate('ada');
    // Cannot come from outside, where a refusal stands before it.
    const during = enter();
    breaker.release('ada');
    breaker.report(during, 'failure', 1);
    expect(breaker.name).toBe('closed');
  });
});

describe('slow calls', () => {
  const slow = { kind: 'slow_calls', window_ms: 10_000, min_calls: 4, failure_rate: 0.5, slow_call_ms: 1000 } as const;

  it('open the breaker when they are too many', () => {
    const { breaker, enter, transitions } = rig({ breaker: slow });
    for (const durationMs of [10, 999, 1000]) breaker.report(enter(), 'success', durationMs);
    expect(breaker).toMatchObject({ name: 'closed', failures: 1 });
    breaker.report(enter(), 'success', 1500);
    expect(breaker.name).toBe('open');
    expect(transitions.at(-1)?.why).toBe('threshold reached: 2 of 4 calls/50%');
  });

  it('do not count as a recovery', async () => {
    const { breaker, clock, enter, fail, transitions } = rig({ breaker: slow });
    fail(4);
    await clock.pass(10_000);
    breaker.report(enter(), 'success', 1000);
    expect(breaker.name).toBe('open');
    expect(transitions.at(-1)?.why).toBe('threshold reached: the probe failed');
    await clock.pass(10_000);
    breaker.report(enter(), 'success', 999);
    expect(breaker.name).toBe('closed');
  });

  it('are neutral when the caller has left', () => {
    const { breaker, enter } = rig({ breaker: slow });
    for (let i = 0; i < 10; i++) breaker.report(enter(), 'neutral', 5000);
    expect(breaker.failures).toBe(0);
  });
});

describe('changed settings', () => {
  it('keep the count, and the next failure is compared with the new threshold', () => {
    const { breaker, fail } = rig();
    fail(2);
    breaker.reconfigure(testSettings({ failure_threshold: 2 }));
    expect(breaker).toMatchObject({ name: 'closed', failures: 2 });
    fail(1);
    expect(breaker).toMatchObject({ name: 'open', failures: 3 });
  });

  it('keep an open breaker open, for the new time from when it opened', async () => {
    const { breaker, clock, fail } = rig();
    fail(3);
    await clock.pass(1000);
    breaker.reconfigure(testSettings({ recovery_timeout_ms: 5000 }));
    expect(breaker.refusal()).toBe(4000);
  });

  it('change neither a running probe nor an isolation', async () => {
    const { breaker, openThenHalfOpen } = rig();
    const probe = await openThenHalfOpen();
    breaker.reconfigure(testSettings({ failure_threshold: 9, recovery_timeout_ms: 5000 }));
    expect(breaker.refusal()).toBe(1000);
    breaker.report(probe, 'failure', 1);
    expect(breaker.refusal()).toBe(5000);
    breaker.isolate('ada');
    breaker.reconfigure(testSettings());
    expect(breaker.isolatedBy).toEqual(['ada']);
  });

  it('of another kind begin with a count of 0', () => {
    const { breaker, fail } = rig();
    fail(2);
    const { breaker: kind } = testSettings();
    breaker.reconfigure(testSettings({ breaker: { ...kind, kind: 'failure_rate' } }));
    expect(breaker.failures).toBe(0);
    fail(2);
    breaker.reconfigure(testSettings({ breaker: { ...kind, kind: 'failure_rate', min_calls: 3 } }));
    expect(breaker).toMatchObject({ name: 'closed', failures: 2 });
    fail(1);
    expect(breaker.name).toBe('open');
  });
});

describe('advice of another process', () => {
  it('opens a closed breaker at the next failure, and not by itself', () => {
    const { breaker, fail, transitions } = rig();
    breaker.advise({ says: 'failing', delayMs: 0 });
    expect(breaker.name).toBe('closed');
    fail();
    expect(breaker).toMatchObject({ name: 'open', failures: 1 });
    expect(transitions.at(-1)?.why).toBe('it failed here too, as at another process');
  });

  it('has no effect after a success, after a recovery elsewhere, and after the recovery time', async () => {
    const { breaker, clock, enter, fail } = rig();
    breaker.advise({ says: 'failing', delayMs: 0 });
    breaker.report(enter(), 'success', 1);
    fail();
    breaker.advise({ says: 'failing', delayMs: 0 });
    breaker.advise({ says: 'recovered' });
    fail();
    expect(breaker.name).toBe('closed');
    breaker.report(enter(), 'success', 1);
    breaker.advise({ says: 'failing', delayMs: 0 });
    await clock.pass(10_000);
    fail(2);
    expect(breaker).toMatchObject({ name: 'closed', failures: 2 });
  });

  it('makes an open breaker wait for the probe of the other process, and then probe itself', async () => {
    const { breaker, clock, fail } = rig();
    fail(3);
    await clock.pass(9_000);
    breaker.advise({ says: 'probing', forMs: 5_000 });
    await clock.pass(4_999);
    expect(breaker.refusal()).toBe(1);
    await clock.pass(1);
    expect(breaker.refusal()).toBeUndefined();
  });

  it('makes an open breaker wait for a recovery time after a failed probe elsewhere', async () => {
    const { breaker, clock, fail } = rig();
    fail(3);
    await clock.pass(9_000);
    breaker.advise({ says: 'failing', delayMs: 500 });
    expect(breaker.refusal()).toBe(10_500);
    breaker.advise({ says: 'probing', forMs: 100 });
    expect(breaker.refusal()).toBe(10_500);
  });

  it('delays a probe by three recovery times at most, because the others may fail for reasons of their own', async () => {
    const { breaker, clock, fail } = rig();
    fail(3);
    for (let passedMs = 0; passedMs < 40_000; passedMs += 5_000) {
      expect(breaker.refusal()).toBeGreaterThan(0);
      breaker.advise({ says: 'failing', delayMs: 500 });
      await clock.pass(5_000);
    }
    expect(breaker.refusal()).toBeUndefined();
  });

  it('delays a probe by no more than that also where the settings have changed meanwhile', () => {
    const { breaker, fail } = rig();
    fail(3);
    breaker.reconfigure(testSettings({ recovery_timeout_ms: 12_000 }));
    breaker.advise({ says: 'probing', forMs: 100_000 });
    // The time until the first probe, and three recovery times as they were when the breaker opened.
    expect(breaker.refusal()).toBe(12_000 + 3 * 10_000);
  });

  it('makes an open breaker probe at once after a success elsewhere, and that probe decides', () => {
    const { breaker, enter, fail } = rig();
    fail(3);
    breaker.advise({ says: 'recovered' });
    expect(breaker.name).toBe('open');
    expect(breaker.refusal()).toBeUndefined();
    breaker.report(enter(), 'failure', 1);
    expect(breaker.name).toBe('open');
    expect(breaker.refusal()).toBe(10_000);
  });

  it('changes nothing while a probe is under way, or the service is isolated', async () => {
    const { breaker, openThenHalfOpen } = rig();
    const probe = await openThenHalfOpen();
    for (const advice of [
      { says: 'failing', delayMs: 0 },
      { says: 'probing', forMs: 9 },
      { says: 'recovered' },
    ] as const) {
      breaker.advise(advice);
      expect(breaker).toMatchObject({ name: 'half_open' });
      expect(breaker.refusal()).toBe(1000);
    }
    breaker.report(probe, 'success', 1);
    expect(breaker.name).toBe('closed');
    breaker.isolate('ann');
    breaker.advise({ says: 'recovered' });
    expect(breaker.refusal()).toBe(1000);
  });
});

describe('a guard', () => {
  it('keeps the breaker closed at its threshold, and may open it later', () => {
    const opens: (() => void)[] = [];
    const counted: (string | undefined)[] = [];
    const guard = {
      add: (suspect: string | undefined) => counted.push(suspect),
      forget: () => (counted.length = 0),
      spares: (open: () => void) => opens.push(open) > 0,
    };
    const breaker = new CircuitBreaker(testSettings(), new VirtualClock(), () => undefined, guard);
    const end = (outcome: 'success' | 'failure') => {
      const one = { ...ticket(), suspect: 'ada' };
      breaker.enter(one);
      breaker.report(one, outcome, 1);
    };
    end('failure');
    end('success');
    expect(counted).toEqual([]);
    for (let i = 0; i < 3; i++) end('failure');
    expect(counted).toEqual(['ada', 'ada', 'ada']);
    expect(breaker.name).toBe('closed');
    opens[0]?.();
    expect(breaker).toMatchObject({ name: 'open', failures: 3 });
  });

  it('that does not keep it closed lets it open', () => {
    const guard = { add: () => undefined, forget: () => undefined, spares: () => false };
    const breaker = new CircuitBreaker(testSettings(), new VirtualClock(), () => undefined, guard);
    for (let i = 0; i < 3; i++) {
      const one = ticket();
      breaker.enter(one);
      breaker.report(one, 'failure', 1);
    }
    expect(breaker.name).toBe('open');
  });
});

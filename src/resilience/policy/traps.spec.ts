import { jest } from '@jest/globals';
import { CircuitState, SamplingBreaker } from 'cockatiel';
import { FailureRate } from './breaker-strategy.js';
import { systemClock } from './clock.js';
import { DownstreamError } from './downstream-error.js';
import { testSettings } from './testing/settings.js';
import {
  failure,
  isRefusal,
  ours,
  plainCockatiel,
  plainOpossum,
  type Signal,
  type Subject,
} from './testing/subjects.js';

/** Each scenario tells what it saw. Ours must see what is right, and cockatiel's plain composition must not. */
function trap(name: string, scenario: (make: typeof ours) => Promise<unknown>, right: unknown): void {
  describe(name, () => {
    it('is avoided', async () => expect(await scenario(ours)).toEqual(right));
    it('catches cockatiel put together plainly', async () => expect(await scenario(plainCockatiel)).not.toEqual(right));
  });
}

const pass = (ms: number) => jest.advanceTimersByTimeAsync(ms);
const fails = () => Promise.reject(failure('unreachable'));
const succeeds = () => Promise.resolve('fine');

/** An operation that goes on until it is told otherwise, and ends when its signal does (as one on the wire would). */
class Held {
  readonly signals: Signal[] = [];
  private readonly ends: { resolve: (value: string) => void; reject: (error: Error) => void }[] = [];
  readonly run = (signal: Signal): Promise<string> => {
    this.signals.push(signal);
    return new Promise((resolve, reject) => {
      this.ends.push({ resolve, reject });
      if (signal instanceof AbortSignal) signal.addEventListener('abort', () => reject(failure('cancelled')));
    });
  };
  succeed(): void {
    this.ends.shift()?.resolve('fine');
  }
  fail(): void {
    this.ends.shift()?.reject(failure('fault'));
  }
}

/** The fate of a promise, with the time it took. */
function watch(promise: Promise<unknown>) {
  const beganAt = performance.now();
  const fate = { settledAfterMs: undefined as number | undefined, error: undefined as unknown };
  const settle = (error?: unknown) => {
    fate.settledAfterMs = Math.round(performance.now() - beganAt);
    fate.error = error;
  };
  promise.then(
    () => settle(),
    (error: unknown) => settle(error),
  );
  return fate;
}

async function trip(subject: Pick<Subject, 'call' | 'state'>): Promise<void> {
  for (let i = 0; i < 3; i++) void subject.call(fails).catch(() => undefined);
  await pass(0);
  expect(subject.state()).toBe('open');
}

async function halfOpenWithProbe(subject: Pick<Subject, 'call' | 'state'>): Promise<Held> {
  await trip(subject);
  await pass(10_000);
  const probe = new Held();
  void subject.call(probe.run).catch(() => undefined);
  await pass(0);
  expect(subject.state()).toBe('half_open');
  return probe;
}

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

trap(
  'a caller aborts during a backoff',
  async (make) => {
    const gone = new AbortController();
    let attempts = 0;
    const fate = watch(
      make().call(() => {
        attempts++;
        return fails();
      }, gone.signal),
    );
    await pass(100);
    gone.abort();
    await pass(10_000);
    return { attempts, freedAfterMs: fate.settledAfterMs };
  },
  { attempts: 1, freedAfterMs: 100 },
);

trap(
  'calls arrive while a probe is under way',
  async (make) => {
    const subject = make();
    const probe = await halfOpenWithProbe(subject);
    const others = new Held();
    const fates = Array.from({ length: 10 }, () => watch(subject.call(others.run)));
    await pass(1);
    const refusedAtOnce = fates.filter((fate) => isRefusal(fate.error)).length;
    probe.succeed();
    await pass(0);
    return { refusedAtOnce, onTheWireAfterwards: others.signals.length };
  },
  { refusedAtOnce: 10, onTheWireAfterwards: 0 },
);

trap(
  'load returns after the breaker has closed',
  async (make) => {
    const subject = make();
    const probe = await halfOpenWithProbe(subject);
    probe.succeed();
    await pass(0);
    const held = new Held();
    for (let i = 0; i < 20; i++) void subject.call(held.run);
    await pass(0);
    const steps: number[] = [];
    for (let seen = 0; seen < 15 && steps.length < 20;) {
      const begun = held.signals.length - seen;
      seen = held.signals.length;
      steps.push(begun);
      for (let i = 0; i < begun; i++) held.succeed();
      await pass(0);
    }
    return steps.slice(0, 3);
  },
  [1, 2, 4],
);

trap(
  'a caller aborts the probe',
  async (make) => {
    const subject = make();
    await trip(subject);
    await pass(10_000);
    const gone = new AbortController();
    const probe = new Held();
    const fate = watch(subject.call(probe.run, gone.signal));
    await pass(0);
    gone.abort();
    await pass(0);
    const after = subject.state();
    const next = new Held();
    void subject.call(next.run).catch(() => undefined);
    await pass(0);
    return { freedAfterMs: fate.settledAfterMs, after, nextProbes: next.signals.length, still: subject.state() };
  },
  { freedAfterMs: 0, after: 'half_open', nextProbes: 1, still: 'half_open' },
);

trap(
  'a call from before the trip fails during a probe',
  async (make) => {
    const subject = make({ timeout_ms: 60_000 });
    const early = new Held();
    void subject.call(early.run).catch(() => undefined);
    await halfOpenWithProbe(subject);
    early.fail();
    await pass(0);
    return subject.state();
  },
  'half_open',
);

describe('a call from before the trip succeeds while a probe is under way', () => {
  /** In cockatiel nothing but a probe closes; in opossum any success does. */
  const scenario = async (subject: Pick<Subject, 'call' | 'state'>) => {
    const early = new Held();
    void subject.call(early.run);
    await halfOpenWithProbe(subject);
    early.succeed();
    await pass(0);
    return subject.state();
  };

  it('closes nothing', async () => expect(await scenario(ours({ timeout_ms: 60_000 }))).toBe('half_open'));
  it('closes the breaker of opossum', async () =>
    expect(await scenario(plainOpossum({ timeout_ms: 60_000 }))).toBe('closed'));
});

describe('failures from outside the window', () => {
  const breakers = () => {
    const { breaker } = testSettings();
    const sampling = new SamplingBreaker({ threshold: 0.5, duration: 10_000, minimumRps: 0.4 });
    return {
      ours: new FailureRate({ ...breaker, min_calls: 4 }, systemClock),
      cockatiels: {
        success: () => sampling.success(CircuitState.Closed),
        failure: () => sampling.failure(CircuitState.Closed),
      },
    };
  };
  const oldFailuresThenOne = async (breaker: { success(): void; failure(): boolean }) => {
    for (let i = 0; i < 4; i++) breaker.success();
    for (let i = 0; i < 3; i++) breaker.failure();
    await pass(3_600_000);
    breaker.failure();
    return breaker.failure();
  };

  it('are forgotten', async () => expect(await oldFailuresThenOne(breakers().ours)).toBe(false));
  it('count for cockatiel', async () => expect(await oldFailuresThenOne(breakers().cockatiels)).toBe(true));
});

trap(
  'a caller who disconnects is told apart from a timeout',
  async (make) => {
    const gone = new AbortController();
    const subject = make({ max_retries: 1 });
    // Something that does not listen to its signal.
    const fate = watch(subject.call(() => new Promise(() => undefined), gone.signal));
    await pass(100);
    gone.abort();
    await pass(0);
    return { freedAfterMs: fate.settledAfterMs, says: String((fate.error as Error | undefined)?.message) };
  },
  { freedAfterMs: 100, says: 'the caller disconnected' },
);

trap(
  'the body is still being read when the handler has returned',
  async (make) => {
    const held = new Held();
    const subject = make();
    const answer = subject.call(held.run, undefined, true);
    await pass(0);
    held.succeed();
    await answer;
    return { signalAborted: held.signals[0]?.aborted };
  },
  { signalAborted: false },
);

trap(
  'the circuit opens while a call waits for its next attempt',
  async (make) => {
    const subject = make();
    let attempts = 0;
    const fate = watch(
      subject.call(() => {
        attempts++;
        return fails();
      }),
    );
    await pass(100);
    for (let i = 0; i < 2; i++) void subject.call(fails).catch(() => undefined);
    await pass(20_000);
    return { attempts, endedAfterMs: fate.settledAfterMs };
  },
  { attempts: 1, endedAfterMs: 100 },
);

trap(
  'a queued call is aborted',
  async (make) => {
    const subject = make({ bulkhead: { concurrency: 1, queue: 1, adaptive: false }, max_retries: 1 });
    const held = new Held();
    void subject.call(held.run);
    const gone = new AbortController();
    const waiting = watch(subject.call(succeeds, gone.signal));
    await pass(10);
    gone.abort();
    await pass(0);
    const next = watch(subject.call(succeeds));
    await pass(10);
    held.succeed();
    await pass(10);
    return { freedAfterMs: waiting.settledAfterMs, nextSettledAfterMs: next.settledAfterMs, nextFailed: next.error };
  },
  { freedAfterMs: 10, nextSettledAfterMs: 10, nextFailed: undefined },
);

trap(
  'an isolation of an open breaker ends',
  async (make) => {
    const subject = make();
    await trip(subject);
    subject.isolate()();
    return subject.state();
  },
  'open',
);

trap(
  'a listener throws',
  async (make) => {
    const subject = make({ failure_threshold: 1, max_retries: 1 });
    subject.onStateChange(() => {
      throw new Error('from the listener');
    });
    return subject.call(fails).catch((error: Error) => error.message);
  },
  'unreachable',
);

trap(
  'the wall clock steps back while the breaker is open',
  async (make) => {
    const subject = make({ max_retries: 1 });
    await trip(subject);
    jest.setSystemTime(Date.now() - 3_600_000);
    await pass(10_000);
    return subject.call(succeeds).catch(isRefusal);
  },
  'fine',
);

trap(
  'everything fails, and everybody retries',
  async (make) => {
    const subject = make({ failure_threshold: 1_000_000 });
    let attempts = 0;
    const calls = 200;
    for (let i = 0; i < calls; i++) {
      void subject.call(() => (attempts++, fails())).catch(() => undefined);
      await pass(100);
    }
    await pass(60_000);
    return attempts / calls <= 1.2;
  },
  true,
);

it('a lone call has its three attempts in spite of the budget', async () => {
  const subject = ours({ failure_threshold: 100 });
  for (let round = 0; round < 5; round++) {
    let attempts = 0;
    const fate = watch(subject.call(() => (attempts++, fails())));
    await pass(60_000);
    expect(fate.error).toBeInstanceOf(DownstreamError);
    expect(attempts).toBe(3);
  }
});

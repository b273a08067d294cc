import {
  BrokenCircuitError,
  bulkhead,
  circuitBreaker,
  ConsecutiveBreaker,
  ConstantBackoff,
  handleAll,
  type IPolicy,
  retry,
  timeout,
  TimeoutStrategy,
  wrap,
} from 'cockatiel';
import { Attempt } from './attempt.js';
import { Observers } from './attempt-observer.js';
import { BulkheadPolicy } from './bulkhead.policy.js';
import { CircuitBreakerPolicy } from './circuit-breaker.policy.js';
import { systemClock } from './clock.js';
import { DownstreamError } from './downstream-error.js';
import { ExpiryQueue } from './expiry-queue.js';
import { ObservePolicy } from './observe.policy.js';
import { RetryPolicy } from './retry.policy.js';
import { testSettings } from './testing/settings.js';
import { TimeoutPolicy } from './timeout.policy.js';

const settings = testSettings({ retry_base_ms: 1, max_retries: 3, failure_threshold: 2 });
const expiries = () => new ExpiryQueue(systemClock);
const limits = { concurrency: 2, queue: 2, adaptive: false };
const down = () => new DownstreamError({ service: 'chroma', reason: 'unreachable', message: 'Connection refused' });

const ours = {
  retry: () => new RetryPolicy('chroma', settings, systemClock),
  bulkhead: () => new BulkheadPolicy({ service: 'chroma', limits, retryAfterMs: 1, expiries: expiries() }),
  breaker: () => new CircuitBreakerPolicy({ service: 'chroma', settings, clock: systemClock }),
  observe: () => new ObservePolicy(new Observers([]), systemClock),
  timeout: () => new TimeoutPolicy({ service: 'chroma', timeoutMs: 50, clock: systemClock, expiries: expiries() }),
};
const cockatiels = {
  retry: () => retry(handleAll, { maxAttempts: 2, backoff: new ConstantBackoff(1) }),
  breaker: () => circuitBreaker(handleAll, { halfOpenAfter: 1000, breaker: new ConsecutiveBreaker(2) }),
  bulkhead: () => bulkhead(2, 2),
  timeout: () => timeout(50, TimeoutStrategy.Aggressive),
};

/** Succeeds at the second attempt. */
function failsOnce() {
  let attempts = 0;
  return () => (++attempts === 1 ? Promise.reject(down()) : Promise.resolve(attempts));
}

describe.each(Object.entries(ours))("our %s inside cockatiel's wrap", (_, make) => {
  it('passes a result on', async () => {
    const policy = wrap(cockatiels.retry(), make() as IPolicy, cockatiels.timeout());
    await expect(policy.execute(failsOnce())).resolves.toBe(2);
  });

  it('passes an error on and reports it', async () => {
    const one = make();
    const failures: unknown[] = [];
    one.onFailure(({ reason }) => failures.push(reason));
    const bug = new TypeError('bug');
    await expect(wrap(cockatiels.bulkhead(), one as IPolicy).execute(() => Promise.reject(bug))).rejects.toBe(bug);
    expect(failures).toEqual([{ error: bug }]);
  });

  it("ends the work when the caller's signal aborts", async () => {
    const gone = new AbortController();
    let seen: AbortSignal | undefined;
    const work = ({ signal }: { signal: AbortSignal }) =>
      new Promise((_resolve, reject) => {
        seen = signal;
        signal.addEventListener('abort', () => reject(new Error('stopped')));
      });
    const running = wrap(make() as IPolicy, cockatiels.breaker()).execute(work, gone.signal);
    gone.abort();
    await expect(running).rejects.toBeDefined();
    expect(seen?.aborted).toBe(true);
  });
});

describe.each(Object.entries(cockatiels))("cockatiel's %s inside ours", (_, make) => {
  const inside = (policy: IPolicy) => wrap(ours.retry(), ours.bulkhead(), ours.breaker(), policy, ours.timeout());

  it('passes a result on', async () => {
    await expect(inside(make()).execute(failsOnce())).resolves.toBe(2);
  });

  it('is limited by our timeout', async () => {
    const stuck = inside(make()).execute(({ signal }) => {
      expect(signal).toBeInstanceOf(Attempt);
      return new Promise(() => undefined);
    });
    await expect(stuck).rejects.toBeInstanceOf(Error);
  });
});

it("our retry does not repeat a refusal of cockatiel's breaker", async () => {
  const policy = wrap(ours.retry(), cockatiels.breaker());
  await expect(policy.execute(() => Promise.reject(down()))).rejects.toBeInstanceOf(BrokenCircuitError);
});

it("our breaker opens inside cockatiel's retry", async () => {
  const breaker = ours.breaker();
  const policy = wrap(cockatiels.retry(), breaker);
  await expect(policy.execute(() => Promise.reject(down()))).rejects.toMatchObject({ reason: 'circuit_open' });
  expect(breaker.breaker.name).toBe('open');
});

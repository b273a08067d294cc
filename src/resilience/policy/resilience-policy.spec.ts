import { getEventListeners } from 'node:events';
import { jest } from '@jest/globals';
import type { DownstreamSettings } from '../../config/config.schema.js';
import type { Attempt } from './attempt.js';
import type { CallDetails } from './call.js';
import type { Transition } from './circuit-breaker.js';
import { reportOf } from '../report/client-report.js';
import { DownstreamError, type DownstreamErrorDetails } from './downstream-error.js';
import { ResiliencePolicy } from './resilience-policy.js';
import { Counts } from '../report/counts.js';
import { History } from '../report/history.js';
import { ServiceLog } from '../report/service-log.js';
import { RecordedLog } from '../report/testing/recorded-log.js';
import { testSettings } from './testing/settings.js';
import { VirtualClock } from './testing/virtual-clock.js';

const failure = (over: Partial<DownstreamErrorDetails> = {}) =>
  new DownstreamError({ service: 'chroma', reason: 'unreachable', message: 'Connection refused', ...over });

function rig(over: Partial<DownstreamSettings> = {}, onTransition: (transition: Transition) => void = () => undefined) {
  const clock = new VirtualClock();
  const log = new RecordedLog();
  const settings = testSettings({ failure_threshold: 100, ...over });
  const counts = new Counts();
  const history = new History(clock);
  const policy = new ResiliencePolicy('chroma', settings, clock, [
    new ServiceLog(log, 'chroma', 'Chroma Server'),
    counts,
    history,
    { stateChanged: onTransition },
  ]);
  const begun: number[] = [];
  const attempts: Attempt[] = [];
  /** Makes a call and tells how it ended, and when. */
  const execute = (run: (attempt: Attempt) => Promise<unknown>, call: Partial<CallDetails> = {}, context = {}) => {
    const end: { value?: unknown; error?: DownstreamError; atMs?: number } = {};
    const whole: CallDetails = {
      method: 'POST',
      path: '/query',
      route: '/query',
      context: { requestId: 'r7', ...context },
      repeatable: true,
      ...call,
    };
    policy
      .execute(whole, (attempt) => {
        begun.push(clock.now());
        attempts.push(attempt);
        return run(attempt);
      })
      .then(
        (value) => Object.assign(end, { value, atMs: clock.now() }),
        (error: unknown) => Object.assign(end, { error, atMs: clock.now() }),
      );
    return end;
  };
  return { clock, log, policy, counts, history, begun, attempts, execute };
}
const never = () => new Promise(() => undefined);
const fails =
  (over: Partial<DownstreamErrorDetails> = {}) =>
  () =>
    Promise.reject(failure(over));

beforeEach(() => {
  jest.spyOn(Math, 'random').mockReturnValue(0);
});
afterEach(() => {
  jest.restoreAllMocks();
});

describe('the attempts of a call', () => {
  it('come 1 s and 2 s apart, and are logged word for word', async () => {
    const { clock, execute, begun, log } = rig();
    const end = execute(fails());
    await clock.pass(10_000);
    expect(begun).toEqual([0, 1000, 3000]);
    expect(end).toMatchObject({ atMs: 3000, error: { reason: 'unreachable' } });
    expect(log.lines).toEqual([
      '[Chroma Server] POST /query (attempt 1/3)',
      '[Chroma Server] Connection failed on attempt 1/3: Connection refused',
      '[Chroma Server] Retrying in 1s...',
      '[Chroma Server] POST /query (attempt 2/3)',
      '[Chroma Server] Connection failed on attempt 2/3: Connection refused',
      '[Chroma Server] Retrying in 2s...',
      '[Chroma Server] POST /query (attempt 3/3)',
      '[Chroma Server] Connection failed on attempt 3/3: Connection refused',
      '[Chroma Server] ✗ All 3 retry attempts failed',
    ]);
    expect(log.entries[3]?.fields).toEqual({ service: 'chroma', attempt: 2, request_id: 'r7' });
  });

  it('have up to a fifth of jitter, which the log leaves out', async () => {
    jest.spyOn(Math, 'random').mockReturnValue(0.5);
    const { clock, execute, begun, log } = rig();
    execute(fails());
    await clock.pass(10_000);
    expect(begun).toEqual([0, 1100, 3300]);
    expect(log.lines.filter((line) => line.includes('Retrying'))).toEqual([
      '[Chroma Server] Retrying in 1s...',
      '[Chroma Server] Retrying in 2s...',
    ]);
  });

  it('end with the first success', async () => {
    const { clock, execute, begun } = rig();
    const end = execute(({ number }) => (number === 2 ? Promise.resolve('fine') : Promise.reject(failure())));
    await clock.pass(10_000);
    expect(end).toMatchObject({ value: 'fine', atMs: 1000 });
    expect(begun).toHaveLength(2);
  });

  it('are limited to one when the call cannot be repeated', async () => {
    const { clock, execute, begun, log } = rig();
    execute(fails(), { repeatable: false });
    await clock.pass(10_000);
    expect(begun).toEqual([0]);
    expect(log.lines[0]).toBe('[Chroma Server] POST /query (attempt 1/1)');
  });

  it.each([
    ['the service says no', { reason: 'rejected', status: 404 }],
    ['the service asks not to be tried again', { reason: 'fault', status: 502, doNotRetry: true }],
    ['the service asks for more than a minute', { reason: 'saturated', status: 429, retryAfterMs: 60_001 }],
  ] as const)('are one when %s', async (_, details) => {
    const { clock, execute, begun } = rig();
    const end = execute(fails(details));
    await clock.pass(120_000);
    expect(begun).toEqual([0]);
    expect(end).toMatchObject({ atMs: 0, error: { reason: details.reason } });
  });

  it('wait for as long as the service asks', async () => {
    const { clock, execute, begun, log } = rig();
    execute(fails({ reason: 'saturated', status: 429, retryAfterMs: 7000 }));
    await clock.pass(60_000);
    expect(begun).toEqual([0, 7000, 14_000]);
    expect(log.lines).toContain('[Chroma Server] Retrying in 7s...');
  });

  it('do not wait for less than the backoff because the service asks', async () => {
    const { clock, execute, begun } = rig();
    execute(fails({ reason: 'fault', status: 503, retryAfterMs: 10 }));
    await clock.pass(60_000);
    expect(begun).toEqual([0, 1000, 3000]);
  });

  it('end before a wait that would pass the deadline', async () => {
    const { clock, execute, begun } = rig();
    const end = execute(fails(), {}, { deadlineMs: 3000 });
    await clock.pass(10_000);
    expect(begun).toEqual([0, 1000]);
    expect(end).toMatchObject({ atMs: 1000, error: { reason: 'unreachable' } });
  });

  it('are reported to observers while the call is running', async () => {
    const { clock, execute } = rig();
    const told: [string, number][] = [];
    execute(fails(), {}, { onAttemptFailed: (reason: string) => told.push([reason, clock.now()]) });
    await clock.pass(10_000);
    expect(told).toEqual([
      ['unreachable', 0],
      ['unreachable', 1000],
    ]);
  });

  it('continue when an observer throws', async () => {
    const { clock, execute, log } = rig();
    const onAttemptFailed = () => {
      throw new Error('from the listener');
    };
    const end = execute(
      ({ number }) => (number === 2 ? Promise.resolve('fine') : Promise.reject(failure())),
      {},
      { onAttemptFailed },
    );
    await clock.pass(10_000);
    expect(end.value).toBe('fine');
    expect(log.lines).toContain('[Chroma Server] An observer of this client failed');
  });

  it('end when the retry budget is spent, with that reason', async () => {
    const { clock, execute, begun, log, counts } = rig({ retry_budget: { ratio: 0, reserve: 1, refill_per_s: 0 } });
    const end = execute(fails());
    await clock.pass(10_000);
    expect(begun).toEqual([0, 1000]);
    expect(end.error?.reason).toBe('unreachable');
    expect(log.lines.at(-1)).toBe('[Chroma Server] Retry budget spent - not retrying POST /query');
    expect(counts).toMatchObject({ calls: 1, retries: 1, refusedBy: { retry_budget: 1 } });
  });

  it('end with an error of the calling code, which is passed on', async () => {
    const { clock, execute, begun, policy } = rig();
    const bug = new TypeError('bug');
    const end = execute(() => Promise.reject(bug));
    const thrown = execute(() => {
      throw bug;
    });
    await clock.pass(10_000);
    expect(end.error).toBe(bug);
    expect(thrown.error).toBe(bug);
    expect(begun).toHaveLength(2);
    expect(policy).toMatchObject({ breaker: { breaker: { failures: 0 } }, bulkhead: { active: 0 } });
  });
});

describe('an attempt', () => {
  it('times out, and the signal of its work aborts', async () => {
    const { clock, execute, attempts, history } = rig({ max_retries: 1 });
    const end = execute(never);
    const stopped: unknown[] = [];
    const [attempt] = attempts as [Attempt];
    attempt.onabort = () => stopped.push(attempt.reason);
    await clock.pass(4999);
    expect(attempts[0]?.aborted).toBe(false);
    await clock.pass(1);
    expect(end).toMatchObject({ atMs: 5000, error: { reason: 'timeout', message: 'no answer after 5000 ms' } });
    expect(attempts[0]?.aborted).toBe(true);
    expect(stopped).toEqual([end.error]);
    expect(history.lastFailure).toEqual({ at: clock.wallMs(), reason: 'timeout' });
  });

  it('ends with a deadline shorter than its timeout, as a neutral outcome', async () => {
    const { clock, execute, policy } = rig();
    const end = execute(never, {}, { deadlineMs: 2000 });
    await clock.pass(2000);
    expect(end).toMatchObject({ atMs: 2000, error: { reason: 'deadline' } });
    expect(policy.breaker.breaker.failures).toBe(0);
  });

  it('counts as a timeout when the service had its full timeout', async () => {
    const { clock, execute, policy } = rig({ max_retries: 1 });
    const end = execute(never, {}, { deadlineMs: 5000 });
    await clock.pass(5000);
    expect(end).toMatchObject({ atMs: 5000, error: { reason: 'timeout' } });
    expect(policy.breaker.breaker.failures).toBe(1);
  });

  it('is not repeated once its caller has stopped waiting, and goes on to its own timeout', async () => {
    const { clock, execute, begun, policy } = rig();
    const end = execute(never, {}, { waitsUntilMs: 1000 });
    await clock.pass(4999);
    expect(end).toEqual({});
    await clock.pass(60_000);
    expect(end).toMatchObject({ atMs: 5000, error: { reason: 'timeout' } });
    expect(begun).toEqual([0]);
    expect(policy.breaker.breaker.failures).toBe(1);
  });

  it('is neutral and not repeated when the disk there is full', async () => {
    const { clock, execute, begun, policy } = rig();
    execute(fails({ reason: 'timeout' }));
    await clock.pass(0);
    const end = execute(fails({ reason: 'rejected', status: 507 }));
    await clock.pass(0);
    expect(end.error).toMatchObject({ reason: 'rejected', status: 507 });
    expect(begun).toEqual([0, 0]);
    expect(policy.breaker.breaker.failures).toBe(1);
  });

  it('does not begin after the deadline, which is neutral', async () => {
    const { clock, execute, begun, policy } = rig();
    const end = execute(never, {}, { deadlineMs: 0 });
    await clock.pass(0);
    expect(end.error?.reason).toBe('deadline');
    expect(begun).toEqual([]);
    expect(policy.breaker.breaker.failures).toBe(0);
  });

  it('does not begin for a caller that has left', async () => {
    const { clock, execute, begun } = rig();
    const end = execute(never, {}, { signal: AbortSignal.abort() });
    await clock.pass(0);
    expect(end.error?.reason).toBe('cancelled');
    expect(begun).toEqual([]);
  });

  it.each([
    ['has no deadline', {}, 5000, 'no answer after 5000 ms'],
    ['has one', { deadlineMs: 2000 }, 2000, 'the deadline passed after 2000 ms'],
  ])('says how long it took when it %s', async (_, context, atMs, message) => {
    const { clock, execute } = rig({ max_retries: 1 });
    const end = execute(never, {}, context);
    await clock.pass(5000);
    expect(end).toMatchObject({ atMs, error: { message } });
  });

  it('may pass its deadline in the queue, which is neutral', async () => {
    const { clock, execute, begun, policy } = rig({ bulkhead: { concurrency: 1, queue: 5, adaptive: false } });
    execute(never);
    const end = execute(never, {}, { deadlineMs: 2000 });
    await clock.pass(2000);
    const message = 'the deadline passed while the call was queued';
    expect(end).toMatchObject({ atMs: 2000, error: { reason: 'deadline', message } });
    expect(begun).toHaveLength(1);
    expect(policy).toMatchObject({ breaker: { breaker: { failures: 0 } }, bulkhead: { active: 1, queued: 0 } });
  });

  it('is refused in the queue when the breaker opens', async () => {
    const { clock, execute, begun } = rig({
      bulkhead: { concurrency: 1, queue: 5, adaptive: false },
      failure_threshold: 1,
    });
    execute(never);
    const end = execute(never);
    await clock.pass(5000);
    expect(end).toMatchObject({ atMs: 5000, error: { reason: 'circuit_open', retryAfterMs: 10_000 } });
    expect(begun).toHaveLength(1);
  });

  it('is refused when the queue is full, and not repeated', async () => {
    const { clock, execute, log, counts } = rig({ bulkhead: { concurrency: 1, queue: 0, adaptive: false } });
    execute(never);
    const end = execute(never);
    await clock.pass(0);
    expect(end).toMatchObject({ atMs: 0, error: { reason: 'saturated', retryAfterMs: 1000 } });
    expect(counts).toMatchObject({ attempts: 1, refusedBy: { breaker: 0, bulkhead: 1 } });
    expect(log.lines).toHaveLength(1);
  });

  it('begins when a reload of the configuration raises the limit', async () => {
    const { clock, execute, begun, policy } = rig({ bulkhead: { concurrency: 1, queue: 5, adaptive: false } });
    execute(never);
    execute(never);
    policy.reconfigure(testSettings({ bulkhead: { concurrency: 2, queue: 5, adaptive: false } }));
    await clock.pass(0);
    expect(begun).toHaveLength(2);
  });

  it('refused by an open breaker has a time to retry after', async () => {
    const transitions: string[] = [];
    const { clock, execute, log, counts } = rig({ failure_threshold: 1 }, ({ to }) => transitions.push(to));
    execute(fails());
    await clock.pass(4000);
    const end = execute(never);
    await clock.pass(0);
    expect(end.error).toMatchObject({ reason: 'circuit_open', retryAfterMs: 6000, message: 'the breaker is open' });
    expect(log.lines.slice(-2)).toEqual([
      '[Chroma Server] Circuit breaker OPEN (threshold reached: 1/1)',
      '[Chroma Server] Circuit breaker OPEN - rejecting request',
    ]);
    expect(counts.refusedBy.breaker).toBe(1);
    expect(transitions).toEqual(['open']);
  });

  it('is reported in whole milliseconds, rounded up', async () => {
    const { clock, execute, policy, counts, history } = rig({ failure_threshold: 1, timeout_ms: 100.25 });
    execute(never);
    await clock.pass(300.5);
    const { retry_after_ms, recent_attempts } = reportOf(
      { title: 'Chroma Server', policy, history, counts, rejections: undefined, endpoints: [] },
      testSettings(),
    );
    expect(retry_after_ms).toBe(9800);
    expect(recent_attempts).toMatchObject([{ outcome: 'timeout', duration_ms: 101 }]);
  });

  it('is kept in the history, and a decision with the attempts that caused it', async () => {
    const measured: unknown[] = [];
    const { clock, execute, policy, history } = rig({ failure_threshold: 2, max_retries: 1 });
    policy.observe({
      ended: (attempt, outcome, durationMs) => measured.push([attempt.call.route, outcome, durationMs]),
    });
    execute(() => Promise.resolve('fine'));
    execute(never);
    execute(fails({ reason: 'fault', status: 500 }));
    await clock.pass(5000);
    const at = (ms: number) => clock.wallMs() - 5000 + ms;
    const outcomes = [
      { at: at(0), outcome: 'success', durationMs: 0, requestId: 'r7' },
      { at: at(0), outcome: 'fault', durationMs: 0, requestId: 'r7' },
      { at: at(5000), outcome: 'timeout', durationMs: 5000, requestId: 'r7' },
    ];
    expect(history.decisions()).toEqual([
      { from: 'closed', to: 'open', why: 'threshold reached: 2/2', at: at(5000), outcomes },
    ]);
    expect(measured).toEqual(outcomes.map(({ outcome, durationMs }) => ['/query', outcome, durationMs]));
  });
});

describe('a streamed attempt', () => {
  const streamed = { streamMs: 20_000 };
  const start = async (over: Partial<DownstreamSettings> = {}, context = {}) => {
    const made = rig({ max_retries: 1, ...over });
    const end = made.execute(() => Promise.resolve('stream'), streamed, context);
    await made.clock.pass(0);
    expect(end.value).toBe('stream');
    return { ...made, attempt: made.attempts[0] as Attempt };
  };

  it('keeps its slot until it is finished, and then counts', async () => {
    const { attempt, policy, clock, history } = await start();
    expect(policy.bulkhead.active).toBe(1);
    await clock.pass(6000);
    expect(attempt.aborted).toBe(false);
    attempt.finish();
    attempt.finish();
    expect(policy.bulkhead.active).toBe(0);
    expect(history.outcomes().map(({ outcome }) => outcome)).toEqual(['success']);
  });

  it('fails when its next part does not come in time', async () => {
    const { attempt, policy, clock, history } = await start();
    attempt.limit(1000);
    await clock.pass(900);
    attempt.limit(Infinity);
    await clock.pass(5000);
    attempt.limit(1000);
    await clock.pass(1000);
    expect(attempt.aborted).toBe(true);
    expect(policy.breaker.breaker.failures).toBe(1);
    expect(history.lastFailure?.reason).toBe('timeout');
    attempt.limit(1000);
    attempt.finish();
    expect(policy.bulkhead.active).toBe(0);
  });

  it.each([
    ['when it takes too long in all', {}, 20_000, 'timeout'],
    ['when the deadline passes, which is no fault of the service', { deadlineMs: 7000 }, 7000, undefined],
  ])('fails %s', async (_, context, afterMs, reason) => {
    const { attempt, clock, history } = await start({}, context);
    await clock.pass(afterMs - 1);
    expect(attempt.aborted).toBe(false);
    await clock.pass(1);
    expect(attempt.aborted).toBe(true);
    expect(history.lastFailure?.reason).toBe(reason);
  });

  it('fails when it breaks off', async () => {
    const { attempt, policy, log } = await start();
    attempt.finish(failure({ message: 'Connection reset' }));
    expect(policy).toMatchObject({ breaker: { breaker: { failures: 1 } }, bulkhead: { active: 0 } });
    expect(log.lines.at(-1)).toBe('[Chroma Server] Connection failed on attempt 1/1: Connection reset');
  });

  it('counts as slow by the time until its first part, not by its length', async () => {
    const slow = { kind: 'slow_calls', window_ms: 60_000, min_calls: 1, failure_rate: 1, slow_call_ms: 100 } as const;
    const { attempt, policy, clock } = await start({ breaker: slow });
    await clock.pass(6000);
    attempt.finish();
    expect(policy.breaker.breaker).toMatchObject({ name: 'closed', failures: 0 });
  });

  it('admits further attempts with its first part while the limit rises', async () => {
    const { clock, execute, policy, begun } = rig({ failure_threshold: 1, max_retries: 1 });
    execute(fails());
    await clock.pass(10_000);
    for (let i = 0; i < 10; i++) execute(() => Promise.resolve('stream'), streamed);
    await clock.pass(0);
    expect(policy.breaker.breaker.name).toBe('closed');
    for (let i = 0; i < 10; i++) execute(() => Promise.resolve('stream'), streamed);
    await clock.pass(0);
    expect(begun).toHaveLength(1 + 1 + 10);
  });
});

describe('what a call leaves behind', () => {
  it.each([
    ['it succeeds at last', () => undefined, 'fine'],
    ['its caller leaves in a wait', (gone: AbortController) => gone.abort(), 'cancelled'],
  ])('is nothing when %s', async (_, meanwhile, result) => {
    const { clock, execute, policy } = rig();
    const gone = new AbortController();
    const end = execute(
      ({ number }) => (number === 2 ? Promise.resolve('fine') : Promise.reject(failure())),
      {},
      {
        signal: gone.signal,
      },
    );
    await clock.pass(500);
    expect(policy.retry.waiting).toBe(1);
    expect(getEventListeners(gone.signal, 'abort')).toHaveLength(1);
    meanwhile(gone);
    await clock.pass(500);
    expect(end.value ?? end.error?.reason).toBe(result);
    expect(policy.retry.waiting).toBe(0);
    expect(getEventListeners(gone.signal, 'abort')).toHaveLength(0);
    // The shared timer of the timeouts stays; that of the wait does not.
    expect(clock.pending).toBe(1);
    await clock.pass(5000);
    expect(clock.pending).toBe(0);
  });

  it('is nothing when its caller leaves while the failed attempt is reported', async () => {
    const { clock, execute, begun } = rig();
    const gone = new AbortController();
    const end = execute(fails(), {}, { signal: gone.signal, onAttemptFailed: () => gone.abort() });
    await clock.pass(0);
    expect(end).toMatchObject({ atMs: 0, error: { reason: 'cancelled', message: 'the caller disconnected' } });
    await clock.pass(10_000);
    expect(begun).toEqual([0]);
    expect(getEventListeners(gone.signal, 'abort')).toHaveLength(0);
  });

  it('is nothing when its caller leaves the queue', async () => {
    const { clock, execute, policy } = rig({ bulkhead: { concurrency: 1, queue: 5, adaptive: false } });
    execute(never);
    const gone = new AbortController();
    const end = execute(never, {}, { signal: gone.signal, deadlineMs: 4000 });
    await clock.pass(100);
    gone.abort();
    await clock.pass(0);
    expect(end).toMatchObject({ atMs: 100, error: { reason: 'cancelled' } });
    expect(policy.bulkhead.queued).toBe(0);
    expect(getEventListeners(gone.signal, 'abort')).toHaveLength(0);
  });
});

describe('an isolation', () => {
  it('refuses calls in the queue, and calls between two attempts', async () => {
    const { clock, execute, policy } = rig({ bulkhead: { concurrency: 1, queue: 5, adaptive: false } });
    const retrying = execute(fails());
    await clock.pass(100);
    execute(never);
    const queued = execute(never);
    policy.breaker.breaker.isolate('ada');
    await clock.pass(0);
    expect(queued).toMatchObject({ atMs: 100, error: { reason: 'circuit_open', message: 'isolated by ada' } });
    expect(retrying).toMatchObject({ atMs: 100, error: { reason: 'circuit_open' } });
    expect(policy.retry.waiting).toBe(0);
  });
});

it('a call that waits in the queue while a probe gets the slot is refused', async () => {
  const { clock, execute, policy } = rig({ failure_threshold: 1, timeout_ms: 30_000, max_retries: 1 });
  const ends: (() => void)[] = [];
  const held = () => new Promise<void>((resolve) => ends.push(resolve));
  execute(held);
  execute(held);
  execute(fails());
  policy.reconfigure(
    testSettings({ failure_threshold: 1, timeout_ms: 30_000, bulkhead: { concurrency: 2, queue: 5, adaptive: false } }),
  );
  await clock.pass(10_000);
  const [probe, other] = [execute(held), execute(held)];
  expect(policy.bulkhead.queued).toBe(2);
  ends[0]?.();
  await clock.pass(0);
  expect(policy.breaker.breaker.name).toBe('half_open');
  ends[1]?.();
  await clock.pass(0);
  expect(other).toMatchObject({ atMs: 10_000, error: { reason: 'circuit_open', message: 'the breaker is half_open' } });
  ends[2]?.();
  await clock.pass(0);
  expect(probe.atMs).toBe(10_000);
  expect(policy).toMatchObject({ breaker: { breaker: { name: 'closed' } }, bulkhead: { active: 0, queued: 0 } });
});

it('durations are measured from their own beginning', async () => {
  const { clock, execute, history } = rig({ max_retries: 1 });
  await clock.pass(700);
  const end = execute(never);
  const streamed = execute(() => Promise.resolve('stream'), { streamMs: 2000 });
  await clock.pass(5000);
  expect(end).toMatchObject({ atMs: 5700, error: { message: 'no answer after 5000 ms' } });
  expect(streamed.value).toBe('stream');
  expect(history.outcomes().map(({ durationMs }) => durationMs)).toEqual([0, 5000]);
});

it('a settled attempt ignores later results of its work', async () => {
  const { clock, execute, log, policy } = rig({ max_retries: 1 });
  const late: { resolve: () => void; reject: (error: Error) => void }[] = [];
  const held = () => new Promise<void>((resolve, reject) => late.push({ resolve, reject }));
  execute(held);
  execute(held);
  await clock.pass(5000);
  const lines = log.lines.length;
  late[0]?.resolve();
  late[1]?.reject(failure());
  await clock.pass(0);
  expect(log.lines).toHaveLength(lines);
  expect(policy).toMatchObject({ breaker: { breaker: { failures: 2 } }, bulkhead: { active: 0 } });
});

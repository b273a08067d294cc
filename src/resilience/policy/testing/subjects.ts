import {
  BrokenCircuitError,
  bulkhead,
  circuitBreaker,
  CircuitState,
  ConsecutiveBreaker,
  ConstantBackoff,
  handleWhen,
  retry,
  timeout,
  TimeoutStrategy,
  wrap,
} from 'cockatiel';
import CircuitBreaker from 'opossum';
import type { DownstreamSettings } from '../../../config/config.schema.js';
import { systemClock } from '../clock.js';
import type { DownstreamReason } from '../../../contract/downstream-reason.js';
import { DownstreamError } from '../downstream-error.js';
import { ResiliencePolicy } from '../resilience-policy.js';
import { testSettings } from './settings.js';

/** What an operation is told of its attempt. */
export interface Signal {
  readonly aborted: boolean;
}

/** Something that guards calls: ours, or cockatiel's policies put together as its manual does. */
export interface Subject {
  call<T>(run: (signal: Signal) => Promise<T>, signal?: AbortSignal, streamed?: boolean): Promise<T>;
  state(): 'closed' | 'open' | 'half_open' | 'isolated';
  isolate(): () => void;
  onStateChange(listener: () => void): void;
}

export const failure = (reason: DownstreamReason) =>
  new DownstreamError({ service: 'chroma', reason, message: reason });

export function ours(over: Partial<DownstreamSettings> = {}): Subject {
  let listener: () => void = () => undefined;
  const policy = new ResiliencePolicy('chroma', testSettings(over), systemClock, [{ stateChanged: () => listener() }]);
  return {
    call: (run, signal, streamed = false) =>
      policy.execute(
        {
          method: 'POST',
          path: '/query',
          route: '/query',
          context: { requestId: 'r', ...(signal === undefined ? {} : { signal }) },
          repeatable: true,
          ...(streamed ? { streamMs: 60_000 } : {}),
        },
        run,
      ),
    state: () => policy.breaker.breaker.name,
    isolate: () => policy.breaker.breaker.isolate('operator'),
    onStateChange: (given) => (listener = given),
  };
}

const STATES = {
  [CircuitState.Closed]: 'closed',
  [CircuitState.Open]: 'open',
  [CircuitState.HalfOpen]: 'half_open',
  [CircuitState.Isolated]: 'isolated',
} as const;

/** `wrap(retry, breaker, bulkhead, timeout)` with the same numbers; a caller's abort is no failure. */
export function plainCockatiel(over: Partial<DownstreamSettings> = {}): Subject {
  const settings = testSettings(over);
  const counted = handleWhen((error) => !(error instanceof DownstreamError && error.reason === 'cancelled'));
  const breaker = circuitBreaker(counted, {
    halfOpenAfter: settings.recovery_timeout_ms,
    breaker: new ConsecutiveBreaker(settings.failure_threshold),
  });
  const policy = wrap(
    retry(counted, { maxAttempts: settings.max_retries - 1, backoff: new ConstantBackoff(settings.retry_base_ms) }),
    breaker,
    bulkhead(settings.bulkhead.concurrency, settings.bulkhead.queue),
    timeout(settings.timeout_ms, TimeoutStrategy.Aggressive),
  );
  return {
    call: (run, signal) => policy.execute((context) => run(context.signal), signal),
    state: () => STATES[breaker.state],
    isolate: () => {
      const isolation = breaker.isolate();
      return () => isolation.dispose();
    },
    onStateChange: (listener) => void breaker.onStateChange(listener),
  };
}

/** opossum around the same operation. */
export function plainOpossum(over: Partial<DownstreamSettings> = {}): Pick<Subject, 'call' | 'state'> {
  const settings = testSettings(over);
  const breaker = new CircuitBreaker((run: () => Promise<unknown>) => run(), {
    timeout: settings.timeout_ms,
    resetTimeout: settings.recovery_timeout_ms,
  });
  return {
    call: <T>(run: (signal: Signal) => Promise<T>) => breaker.fire(() => run({ aborted: false })) as Promise<T>,
    state: () => (breaker.opened ? 'open' : breaker.halfOpen ? 'half_open' : 'closed'),
  };
}

/** Whether an error says that nothing was sent. */
export function isRefusal(error: unknown): boolean {
  return error instanceof BrokenCircuitError || (error instanceof DownstreamError && error.reason === 'circuit_open');
}

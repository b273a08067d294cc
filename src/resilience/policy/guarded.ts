import {
  BrokenCircuitError,
  circuitBreaker,
  type CircuitBreakerPolicy,
  CircuitState,
  ConsecutiveBreaker,
  handleWhen,
  timeout,
  TimeoutStrategy,
} from 'cockatiel';

/** A call of a server to a store or an endpoint outside was ended before its answer. */
export class GuardError extends Error {
  constructor(
    readonly reason: 'timeout' | 'deadline' | 'circuit_open',
    message: string,
  ) {
    super(message);
    this.name = 'GuardError';
  }
}

export interface Guard {
  /** Whose answer is waited for, as the error names it. */
  name: string;
  /** The longest that one call may take. */
  timeoutMs: number;
  /** When the caller stops waiting, on the scale of `performance.now()`. */
  deadlineMs?: number;
  /** Shared by all calls to the same place, see {@link outboundBreaker}. */
  breaker?: CircuitBreakerPolicy;
}

/** A breaker of outbound calls, made by {@link outboundBreaker}. */
export type OutboundBreaker = CircuitBreakerPolicy;

/** Whether calls pass as usual: the breaker neither refuses them nor waits for a probe. */
export function isClosed(breaker: OutboundBreaker): boolean {
  return breaker.state === CircuitState.Closed;
}

export interface OutboundBreakerOptions {
  /** Calls in a row that fail or time out before the breaker opens. */
  failures: number;
  /** How long it stays open before it lets one call through. */
  recoveryMs: number;
  /** Whether an error of the work tells that the place called does not work; without it, every error does. */
  isFailure?: (error: unknown) => boolean;
}

/** A caller's deadline never counts: it says nothing about the place called. */
export function outboundBreaker({ failures, recoveryMs, isFailure = () => true }: OutboundBreakerOptions) {
  return circuitBreaker(
    handleWhen((error) => !(error instanceof GuardError && error.reason === 'deadline') && isFailure(error)),
    { halfOpenAfter: recoveryMs, breaker: new ConsecutiveBreaker(failures) },
  );
}

/**
 * Every call of a server to something outside of it goes through here, so that none can hang. cockatiel's own policies
 * hold for this: there is no retry, no stream and no queue.
 * @param work is given a signal that aborts when the time is over
 * @throws GuardError, and what the work throws
 */
export async function guarded<T>(work: (signal: AbortSignal) => Promise<T>, guard: Guard): Promise<T> {
  const { name, timeoutMs, deadlineMs = Infinity, breaker } = guard;
  const leftMs = deadlineMs - performance.now();
  if (leftMs <= 0) throw new GuardError('deadline', `${name} was not called: the caller's deadline has passed`);
  const limit = timeout(Math.min(timeoutMs, leftMs), TimeoutStrategy.Aggressive);
  const limited = async () => {
    let expired = false;
    const listening = limit.onTimeout(() => (expired = true));
    try {
      return await limit.execute(({ signal }) => work(signal));
    } catch (error) {
      if (!expired) throw error;
      const reason = timeoutMs <= leftMs ? 'timeout' : 'deadline';
      throw new GuardError(reason, `${name} gave no answer within ${Math.ceil(Math.min(timeoutMs, leftMs))} ms`);
    } finally {
      listening.dispose();
    }
  };
  if (breaker === undefined) return limited();
  try {
    return await breaker.execute(limited);
  } catch (error) {
    if (!(error instanceof BrokenCircuitError)) throw error;
    throw new GuardError('circuit_open', `${name} was not called: its circuit breaker is open`);
  }
}

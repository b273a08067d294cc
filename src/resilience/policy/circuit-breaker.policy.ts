import { EventEmitter, type IPolicy } from 'cockatiel';
import type { ClientName } from '../../config/config.schema.js';
import type { DownstreamReason } from '../../contract/downstream-reason.js';
import { Attempt } from './attempt.js';
import type { Gate } from './bulkhead.policy.js';
import { CircuitBreaker, type BreakerSettings, type Outcome, type Transition } from './circuit-breaker.js';
import type { Clock } from './clock.js';
import { DownstreamError, refusal } from './downstream-error.js';
import { PolicyEvents } from './policy-events.js';
import { type AttemptContext, follow, start, type Work } from './work.js';

/**
 * What each reason says of the service. A deadline says nothing: an attempt that had the service's own full timeout ends
 * with `timeout`, and a caller that sets a shorter one must not open the breaker for others.
 */
const OUTCOME: Record<DownstreamReason, Outcome> = {
  unreachable: 'failure',
  timeout: 'failure',
  fault: 'failure',
  protocol: 'failure',
  rejected: 'success',
  deadline: 'neutral',
  saturated: 'neutral',
  circuit_open: 'neutral',
  cancelled: 'neutral',
};

/**
 * Puts the state machine of {@link CircuitBreaker} around attempts. Replaces cockatiel's `circuitBreaker`, which
 * - queues the calls that arrive during a probe and lets all of them through when it succeeds (traps "calls arrive while
 *   a probe is under way", "load returns after the breaker has closed"; CircuitBreakerPolicy.ts `executeHalfOpen`),
 * - counts every probe as success or failure, an aborted one too (trap "a caller aborts the probe"),
 * - listens to attempts from before its last change of state (trap "a call from before the trip fails during a probe"),
 * - measures time with `Date.now()` (trap "the wall clock steps back while the breaker is open"),
 * - closes when an isolation ends, whatever its state was before (trap "an isolation of an open breaker ends").
 */
export class CircuitBreakerPolicy implements IPolicy<AttemptContext>, Gate {
  declare readonly _altReturn: never;
  readonly breaker: CircuitBreaker;
  private readonly events = new PolicyEvents();
  private readonly changes = new EventEmitter<Transition>();
  private readonly rejects = new EventEmitter<Attempt>();
  readonly onSuccess = this.events.onSuccess;
  readonly onFailure = this.events.onFailure;
  readonly onStateChange = this.changes.addListener;
  /** The breaker refused an attempt. */
  readonly onReject = this.rejects.addListener;

  constructor(
    private readonly service: ClientName,
    settings: BreakerSettings,
    private readonly clock: Clock,
  ) {
    this.breaker = new CircuitBreaker(settings, clock, (transition) => this.changes.emit(transition));
  }

  get hasRoom(): boolean {
    return this.breaker.hasRoom;
  }

  refusal(attempt: Attempt): DownstreamError | undefined {
    if (attempt.aborted) return this.error('cancelled', 'the caller disconnected');
    const retryAfterMs = this.breaker.refusal();
    if (retryAfterMs !== undefined) {
      this.rejects.emit(attempt);
      const message = `the breaker is ${this.breaker.name}`;
      return refusal({ service: this.service, reason: 'circuit_open', message, retryAfterMs });
    }
    if (this.clock.now() >= (attempt.call.context.deadlineMs ?? Infinity)) {
      return this.error('deadline', 'the deadline had passed before the attempt began');
    }
    return undefined;
  }

  /** @throws DownstreamError `circuit_open`, `deadline`, `cancelled`; and what the work throws */
  execute<T>(work: Work<T>, signal?: AbortSignal): Promise<T> {
    const attempt = Attempt.of(signal);
    const refused = this.refusal(attempt);
    if (refused !== undefined) return Promise.reject(refused);
    const beganAtMs = this.clock.now();
    let answeredAtMs: number | undefined;
    this.breaker.enter(attempt);
    const running = start(work, attempt);
    follow(running, attempt, {
      answered: () => {
        answeredAtMs = this.clock.now();
        this.breaker.alive(attempt);
      },
      ended: (error) => this.breaker.report(attempt, outcomeOf(error), (answeredAtMs ?? this.clock.now()) - beganAtMs),
    });
    return this.events.watch(running);
  }

  private error(reason: 'deadline' | 'cancelled', message: string): DownstreamError {
    return new DownstreamError({ service: this.service, reason, message });
  }
}

/** Whether an attempt that ended for this reason counts against the service. */
export function isFailure(reason: DownstreamReason): boolean {
  return OUTCOME[reason] === 'failure';
}

/** An error that is not a {@link DownstreamError} is a bug here, and says nothing of the service. */
function outcomeOf(error: unknown): Outcome {
  if (error === undefined) return 'success';
  return error instanceof DownstreamError ? OUTCOME[error.reason] : 'neutral';
}

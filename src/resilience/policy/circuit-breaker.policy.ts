import { EventEmitter, type IPolicy } from 'cockatiel';
import type { ClientName } from '../../config/config.schema.js';
import { Attempt } from './attempt.js';
import type { Gate } from './bulkhead.policy.js';
import type { Call } from './call.js';
import { CallerCircuits, type CallerOpening, suspectOf } from './caller-circuits.js';
import { type BreakerSettings, CircuitBreaker, type Transition } from './circuit-breaker.js';
import type { Clock } from './clock.js';
import { DownstreamError, refusal } from './downstream-error.js';
import { outcomeOf } from './outcome.js';
import { PolicyEvents } from './policy-events.js';
import { type AttemptContext, follow, start, type Work } from './work.js';

export interface CircuitBreakerOptions {
  service: ClientName;
  settings: BreakerSettings;
  clock: Clock;
  /** Whether the service's health route answers. Without it, one caller's failures are not told from an outage. */
  isHealthy?: (() => Promise<boolean>) | undefined;
}

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
  private readonly callers = new EventEmitter<CallerOpening>();
  private readonly circuits: CallerCircuits | undefined;
  readonly onSuccess = this.events.onSuccess;
  readonly onFailure = this.events.onFailure;
  readonly onStateChange = this.changes.addListener;
  /** The breaker refused an attempt. */
  readonly onReject = this.rejects.addListener;
  /** The circuit of one caller has opened, and the breaker has not. */
  readonly onCallerOpen = this.callers.addListener;

  constructor(private readonly options: CircuitBreakerOptions) {
    const { settings, clock, isHealthy } = options;
    this.circuits = isHealthy && this.callerCircuits(isHealthy);
    this.breaker = new CircuitBreaker(settings, clock, (transition) => this.changes.emit(transition), this.circuits);
  }

  reconfigure(settings: BreakerSettings): void {
    this.options.settings = settings;
    this.breaker.reconfigure(settings);
  }

  get hasRoom(): boolean {
    return this.breaker.hasRoom;
  }

  refusal(attempt: Attempt): DownstreamError | undefined {
    if (attempt.aborted) return this.error('cancelled', 'the caller disconnected');
    const retryAfterMs = this.refusedForMs(attempt.call);
    if (retryAfterMs !== undefined) {
      this.rejects.emit(attempt);
      const { name } = this.breaker;
      const message = `the breaker is ${name === 'closed' ? 'open for this caller' : name}`;
      return refusal({ service: this.options.service, reason: 'circuit_open', message, retryAfterMs });
    }
    const { lastBeginMs } = attempt.call;
    if (lastBeginMs < Infinity && this.options.clock.now() >= lastBeginMs) {
      return this.error('deadline', 'the deadline had passed before the attempt began');
    }
    return undefined;
  }

  /** How many milliseconds a call is refused for, by the breaker or by the circuit of its caller. */
  refusedForMs({ context }: Call): number | undefined {
    return this.breaker.refusal() ?? this.circuits?.refusal(context.userId);
  }

  /** @throws DownstreamError `circuit_open`, `deadline`, `cancelled`; and what the work throws */
  execute<T>(work: Work<T>, signal?: AbortSignal): Promise<T> {
    const attempt = Attempt.of(signal);
    const refused = this.refusal(attempt);
    if (refused !== undefined) return Promise.reject(refused);
    const { clock } = this.options;
    attempt.begin(clock);
    this.breaker.enter(attempt);
    const running = start(work, attempt);
    follow(running, attempt, {
      answered: () => {
        attempt.answered(clock);
        this.breaker.alive(attempt);
      },
      ended: (error) => {
        attempt.suspect = suspectOf(attempt.call.context, error);
        this.breaker.report(attempt, outcomeOf(error), attempt.answered(clock));
      },
    });
    return this.events.watch(running);
  }

  private callerCircuits(isHealthy: () => Promise<boolean>): CallerCircuits {
    return new CallerCircuits({
      clock: this.options.clock,
      isHealthy,
      recoveryMs: () => this.options.settings.recovery_timeout_ms,
      onOpen: (caller) => this.callers.emit({ caller, failures: this.breaker.failures }),
    });
  }

  private error(reason: 'deadline' | 'cancelled', message: string): DownstreamError {
    return new DownstreamError({ service: this.options.service, reason, message });
  }
}

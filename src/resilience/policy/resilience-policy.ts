import { type IPolicy, wrap } from 'cockatiel';
import type { ClientName, DownstreamSettings } from '../../config/config.schema.js';
import type { Attempt } from './attempt.js';
import { type AttemptObserver, Observers } from './attempt-observer.js';
import { BulkheadPolicy } from './bulkhead.policy.js';
import { Call, type CallDetails } from './call.js';
import type { Transition } from './circuit-breaker.js';
import { CircuitBreakerPolicy } from './circuit-breaker.policy.js';
import type { Clock } from './clock.js';
import { DownstreamError } from './downstream-error.js';
import { ExpiryQueue } from './expiry-queue.js';
import { ObservePolicy } from './observe.policy.js';
import { RetryPolicy } from './retry.policy.js';
import { TimeoutPolicy } from './timeout.policy.js';
import type { AttemptContext } from './work.js';

/** The caller learns of each failed attempt while its call goes on. */
const tellCaller: AttemptObserver = {
  retrying: ({ call }, error) => call.context.onAttemptFailed?.(error.reason),
};

/** Everything between a call and the wire, for one service. */
export class ResiliencePolicy {
  readonly retry: RetryPolicy;
  readonly bulkhead: BulkheadPolicy;
  readonly breaker: CircuitBreakerPolicy;
  private readonly timeout: TimeoutPolicy;
  private readonly observers: Observers;
  private readonly composed: IPolicy<AttemptContext>;

  constructor(
    private readonly service: ClientName,
    settings: DownstreamSettings,
    clock: Clock,
    observers: readonly AttemptObserver[] = [],
    isHealthy?: () => Promise<boolean>,
  ) {
    const { timeout_ms: timeoutMs, retry_base_ms: retryAfterMs, bulkhead: limits } = settings;
    const expiries = new ExpiryQueue(clock);
    this.observers = new Observers([tellCaller, ...observers]);
    this.breaker = new CircuitBreakerPolicy({ service, settings, clock, isHealthy });
    this.retry = new RetryPolicy(service, settings, clock, (call) => this.breaker.refusedForMs(call) !== undefined);
    this.bulkhead = new BulkheadPolicy({ service, limits, retryAfterMs, expiries, gate: this.breaker, clock });
    this.timeout = new TimeoutPolicy({ service, timeoutMs, clock, expiries });
    const observe = new ObservePolicy(this.observers, clock);
    this.composed = wrap(this.retry, this.bulkhead, this.breaker, observe, this.timeout);
    this.connectObservers();
  }

  /** @throws DownstreamError; anything else that the work throws is a bug in it and passed on */
  execute<T>(call: CallDetails, work: (attempt: Attempt) => PromiseLike<T> | T): Promise<T> {
    return this.composed.execute(({ signal }) => work(signal), new Call(call));
  }

  observe(observer: AttemptObserver): void {
    this.observers.add(observer);
  }

  /** Takes over new settings. Attempts under way end under the old ones, and the breaker keeps its state. */
  reconfigure(settings: DownstreamSettings): void {
    this.retry.reconfigure(settings);
    this.breaker.reconfigure(settings);
    this.timeout.reconfigure(settings.timeout_ms);
    this.bulkhead.reconfigure(settings.bulkhead, settings.retry_base_ms);
  }

  private connectObservers(): void {
    const { observers, retry, bulkhead, breaker } = this;
    retry.onCall((call) => observers.tell('called', call));
    retry.onRetry(({ attempt, error, waitMs }) => observers.tell('retrying', attempt, error, waitMs));
    retry.onGiveUp((attempt) => observers.tell('gaveUp', attempt));
    retry.onReject((attempt) => observers.tell('refused', attempt, 'retry_budget'));
    bulkhead.onReject((attempt) => observers.tell('refused', attempt, 'bulkhead'));
    breaker.onReject((attempt) => observers.tell('refused', attempt, 'breaker'));
    breaker.onCallerOpen(({ caller, failures }) => observers.tell('callerOpened', caller, failures));
    breaker.onStateChange((transition) => this.changed(transition));
  }

  /** An opening breaker ends every wait: no queued call and no further attempt of a call can succeed now. */
  private changed(transition: Transition): void {
    this.observers.tell('stateChanged', transition);
    if (transition.to !== 'open') return;
    const error = new DownstreamError({
      service: this.service,
      reason: 'circuit_open',
      message: transition.why,
      retryAfterMs: this.breaker.breaker.refusal(),
    });
    this.bulkhead.evict(error);
    this.retry.cutShort(error);
  }
}

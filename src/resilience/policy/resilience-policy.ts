import type { DownstreamSettings, ClientName } from '../../config/config.schema.js';
import type { Attempt, Call } from './attempt.js';
import { AttemptRunner } from './attempt-runner.js';
import { backoff, LONGEST_WAIT_MS, withJitter } from './backoff.js';
import type { Transition } from './circuit-breaker.js';
import type { Clock } from './clock.js';
import type { DownstreamReason } from '../../contract/downstream-reason.js';
import { DownstreamError } from './downstream-error.js';
import { RetryBudget } from './retry-budget.js';
import type { ServiceLog } from '../report/service-log.js';

const RETRIED: ReadonlySet<DownstreamReason> = new Set(['unreachable', 'timeout', 'fault', 'protocol', 'saturated']);

/**
 * All that stands between a call and the wire: retry around bulkhead around breaker around timeout. Nobody is left
 * waiting for what cannot help any more: the caller's going, the deadline and an opening breaker end every wait at once.
 */
export class ResiliencePolicy {
  readonly runner: AttemptRunner;
  readonly budget: RetryBudget;
  readonly counts = { calls: 0, retries: 0, unbudgeted: 0 };
  /** The waits between two attempts, to be cut short. */
  private readonly pauses = new Set<(error: DownstreamError) => void>();

  constructor(
    private readonly service: ClientName,
    private settings: DownstreamSettings,
    private readonly clock: Clock,
    private readonly log: ServiceLog,
    private readonly onTransition: (transition: Transition) => void,
  ) {
    this.runner = new AttemptRunner(service, settings, clock, log, (transition) => this.changed(transition));
    this.budget = new RetryBudget(settings.retry_budget, clock);
  }

  /** Calls that wait between two attempts. */
  get waiting(): number {
    return this.pauses.size;
  }

  /** Takes over new settings; attempts under way go on under the old ones. */
  reconfigure(settings: DownstreamSettings): void {
    this.settings = settings;
    this.runner.reconfigure(settings);
    this.budget.reconfigure(settings.retry_budget);
  }

  /** @throws DownstreamError; what else `run` throws is a bug of the caller's and passed on */
  async execute<T>(call: Call, run: (attempt: Attempt) => PromiseLike<T>): Promise<T> {
    this.counts.calls++;
    this.budget.deposit();
    const of = call.repeatable ? this.settings.max_retries : 1;
    let waits: ReturnType<typeof backoff> | undefined;
    for (let number = 1; ; number++) {
      try {
        return (await this.runner.attempt(call, number, of, run)) as T;
      } catch (error) {
        if (!(error instanceof DownstreamError) || !this.isRetried(error)) throw error;
        if (number >= of) {
          this.log.gaveUp(call, of);
          throw error;
        }
        waits = waits?.next(undefined) ?? backoff(this.settings.retry_base_ms);
        const waitMs = Math.max(waits.duration, error.retryAfterMs ?? 0);
        const pauseMs = withJitter(waitMs);
        if (!this.mayRetry(call, number, waitMs, pauseMs)) throw error;
        this.counts.retries++;
        this.tell(call, error.reason);
        this.log.waits(call, number, waitMs);
        await this.pause(call, pauseMs);
      }
    }
  }

  private isRetried({ reason, status, doNotRetry }: DownstreamError): boolean {
    const turnedAwayHere = reason === 'saturated' && status === undefined;
    return RETRIED.has(reason) && !turnedAwayHere && !doNotRetry;
  }

  private mayRetry(call: Call, number: number, waitMs: number, pauseMs: number): boolean {
    if (waitMs > LONGEST_WAIT_MS || this.runner.breaker.refusal() !== undefined) return false;
    if (this.clock.now() + pauseMs >= (call.context.deadlineMs ?? Infinity)) return false;
    if (this.budget.withdraw()) return true;
    this.counts.unbudgeted++;
    this.log.budgetSpent(call, number);
    return false;
  }

  private pause(call: Call, pauseMs: number): Promise<void> {
    const { signal } = call.context;
    return new Promise((resolve, reject) => {
      const end = () => {
        stopTimer();
        this.pauses.delete(cutShort);
        signal?.removeEventListener('abort', cancelled);
      };
      const cutShort = (error: DownstreamError) => {
        end();
        reject(error);
      };
      const cancelled = () => cutShort(this.error('cancelled', 'the caller went away'));
      const stopTimer = this.clock.after(pauseMs, () => {
        end();
        resolve();
      });
      this.pauses.add(cutShort);
      signal?.addEventListener('abort', cancelled);
      if (signal?.aborted) cancelled();
    });
  }

  private changed(transition: Transition): void {
    if (transition.to === 'open') {
      const error = this.error('circuit_open', transition.why, this.runner.breaker.refusal());
      for (const cutShort of [...this.pauses]) cutShort(error);
    }
    this.guard(() => this.onTransition(transition));
  }

  private tell(call: Call, reason: DownstreamReason): void {
    const { onAttemptFailed } = call.context;
    if (onAttemptFailed !== undefined) this.guard(() => onAttemptFailed(reason));
  }

  /** A listener that throws must not change what the caller gets. */
  private guard(listener: () => void): void {
    try {
      listener();
    } catch (error) {
      this.log.listenerFailed(error);
    }
  }

  private error(reason: DownstreamReason, message: string, retryAfterMs?: number): DownstreamError {
    return new DownstreamError({ service: this.service, reason, message, retryAfterMs });
  }
}

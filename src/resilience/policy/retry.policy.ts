import { EventEmitter, type IPolicy } from 'cockatiel';
import type { ClientName, DownstreamSettings } from '../../config/config.schema.js';
import type { DownstreamReason } from '../../contract/downstream-reason.js';
import { Attempt } from './attempt.js';
import { backoff, LONGEST_WAIT_MS, withJitter } from './backoff.js';
import { Call } from './call.js';
import type { Clock } from './clock.js';
import { DownstreamError } from './downstream-error.js';
import { PolicyEvents } from './policy-events.js';
import { RetryBudget } from './retry-budget.js';
import { type AttemptContext, start, type Work } from './work.js';

export type RetrySettings = Pick<DownstreamSettings, 'max_retries' | 'retry_base_ms' | 'retry_budget'>;

const RETRIED: ReadonlySet<DownstreamReason> = new Set(['unreachable', 'timeout', 'fault', 'protocol', 'saturated']);

/**
 * Makes further attempts at a call that may be repeated, with cockatiel's exponential backoff between them. Replaces
 * cockatiel's `retry`, whose waits cannot be ended early: by the caller (trap "a caller aborts during a backoff";
 * RetryPolicy.ts `execute` awaits a bare timer), by an opening breaker (trap "the circuit opens while a call waits for its
 * next attempt"), by the deadline; and which retries without a budget (trap "everything fails, and everybody retries").
 */
export class RetryPolicy implements IPolicy<AttemptContext> {
  declare readonly _altReturn: never;
  readonly budget: RetryBudget;
  private readonly pauses = new Set<(error: DownstreamError) => void>();
  private readonly events = new PolicyEvents();
  private readonly calls = new EventEmitter<Call>();
  private readonly retries = new EventEmitter<{ attempt: Attempt; error: DownstreamError; waitMs: number }>();
  private readonly giveUps = new EventEmitter<Attempt>();
  private readonly rejects = new EventEmitter<Attempt>();
  readonly onSuccess = this.events.onSuccess;
  readonly onFailure = this.events.onFailure;
  readonly onCall = this.calls.addListener;
  /** Another attempt follows after `waitMs`, without its jitter. */
  readonly onRetry = this.retries.addListener;
  /** The last of several attempts failed. */
  readonly onGiveUp = this.giveUps.addListener;
  /** The retry budget is spent. */
  readonly onReject = this.rejects.addListener;

  constructor(
    private readonly service: ClientName,
    private settings: RetrySettings,
    private readonly clock: Clock,
    /** Whether the next attempt would be refused anyway: the breaker is open. */
    private readonly isRefused: (call: Call) => boolean = () => false,
  ) {
    this.budget = new RetryBudget(settings.retry_budget, clock);
  }

  /** Calls that wait between two attempts. */
  get waiting(): number {
    return this.pauses.size;
  }

  reconfigure(settings: RetrySettings): void {
    this.settings = settings;
    this.budget.reconfigure(settings.retry_budget);
  }

  /** Ends every wait between two attempts with this error. */
  cutShort(error: DownstreamError): void {
    for (const end of [...this.pauses]) end(error);
  }

  /** @throws DownstreamError of the last attempt; other errors of the work are passed on at once */
  execute<T>(work: Work<T>, signal?: AbortSignal): Promise<T> {
    const call = Call.of(signal);
    this.calls.emit(call);
    this.budget.deposit();
    return this.events.watch(this.attempts(work, call));
  }

  private async attempts<T>(work: Work<T>, call: Call): Promise<T> {
    const of = call.repeatable ? this.settings.max_retries : 1;
    let waits: ReturnType<typeof backoff> | undefined;
    for (let number = 1; ; number++) {
      const attempt = new Attempt(call, number, of);
      try {
        return await start(work, attempt);
      } catch (error) {
        if (!(error instanceof DownstreamError) || !isRetried(error)) throw error;
        if (number >= of) {
          this.giveUps.emit(attempt);
          throw error;
        }
        waits = waits?.next(undefined) ?? backoff(this.settings.retry_base_ms);
        const waitMs = Math.max(waits.duration, error.retryAfterMs ?? 0);
        const pauseMs = withJitter(waitMs);
        if (!this.mayRetry(attempt, waitMs, pauseMs)) throw error;
        this.retries.emit({ attempt, error, waitMs });
        await this.pause(call, pauseMs);
      }
    }
  }

  private mayRetry(attempt: Attempt, waitMs: number, pauseMs: number): boolean {
    if (waitMs > LONGEST_WAIT_MS || this.isRefused(attempt.call)) return false;
    if (this.clock.now() + pauseMs >= attempt.call.lastBeginMs) return false;
    if (this.budget.withdraw()) return true;
    this.rejects.emit(attempt);
    return false;
  }

  private pause(call: Call, pauseMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = () => {
        stopTimer();
        this.pauses.delete(cutShort);
        call.parent?.removeEventListener('abort', disconnected);
      };
      const cutShort = (error: DownstreamError) => {
        end();
        reject(error);
      };
      const disconnected = () =>
        cutShort(
          new DownstreamError({ service: this.service, reason: 'cancelled', message: 'the caller disconnected' }),
        );
      const stopTimer = this.clock.after(pauseMs, () => {
        end();
        resolve();
      });
      this.pauses.add(cutShort);
      call.parent?.addEventListener('abort', disconnected);
      if (call.aborted) disconnected();
    });
  }
}

/** A call that was refused by the bulkhead here is not repeated: it would queue again behind the same calls. */
function isRetried({ reason, status, doNotRetry }: DownstreamError): boolean {
  const refusedHere = reason === 'saturated' && status === undefined;
  return RETRIED.has(reason) && !refusedHere && !doNotRetry;
}

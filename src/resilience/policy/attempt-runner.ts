import type { DownstreamSettings, ClientName } from '../../config/config.schema.js';
import { Attempt, type AttemptHost, type AttemptTrace, type Call, type Run } from './attempt.js';
import { Bulkhead } from './bulkhead.js';
import { CircuitBreaker, type Outcome, type Transition } from './circuit-breaker.js';
import type { Clock } from './clock.js';
import type { DownstreamReason } from '../../contract/downstream-reason.js';
import { DownstreamError, refusal } from './downstream-error.js';
import { ExpiryQueue } from './expiry-queue.js';
import { History } from '../report/history.js';
import { Minutes } from '../report/minutes.js';
import type { ServiceLog } from '../report/service-log.js';

/** What each reason says of the service. */
const OUTCOME: Record<DownstreamReason, Outcome> = {
  unreachable: 'failure',
  timeout: 'failure',
  fault: 'failure',
  protocol: 'failure',
  deadline: 'failure',
  rejected: 'success',
  saturated: 'neutral',
  circuit_open: 'neutral',
  cancelled: 'neutral',
};

/**
 * Carries single attempts through bulkhead, breaker and timeout. Whatever comes first ends an attempt: its answer, its
 * limits, the caller's going; what comes later changes nothing any more.
 */
export class AttemptRunner implements AttemptHost {
  readonly breaker: CircuitBreaker;
  readonly bulkhead: Bulkhead<Attempt>;
  readonly history = new History();
  readonly minutes = new Minutes();
  readonly counts = { attempts: 0, refused: 0, saturated: 0 };
  lastFailure: { at: number; reason: DownstreamReason } | undefined;
  /** Told of every attempt that was made; set only while somebody measures. */
  onAttempt: ((attempt: Attempt, outcome: string, durationMs: number) => void) | undefined;

  /** Told of every attempt that begins; set only while somebody traces. */
  traceAttempt: ((attempt: Attempt) => AttemptTrace) | undefined;

  private readonly expiries: ExpiryQueue;

  constructor(
    private readonly service: ClientName,
    private settings: DownstreamSettings,
    private readonly clock: Clock,
    private readonly log: ServiceLog,
    private readonly onTransition: (transition: Transition) => void,
  ) {
    this.expiries = new ExpiryQueue(clock);
    this.breaker = new CircuitBreaker(settings, clock, (transition) => this.changed(transition));
    this.bulkhead = new Bulkhead(settings.bulkhead, () => this.breaker.hasRoom);
  }

  reconfigure(settings: DownstreamSettings): void {
    this.settings = settings;
    this.breaker.reconfigure(settings);
    this.bulkhead.reconfigure(settings.bulkhead);
    this.admit();
  }

  /** One attempt, from the bulkhead's queue to its end. @throws DownstreamError */
  attempt(call: Call, number: number, of: number, run: Run): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const attempt = new Attempt(call, number, of, run, resolve, reject, this);
      const refused = this.refusal(attempt);
      if (refused !== undefined) reject(refused);
      else if (this.bulkhead.hasRoom) {
        call.context.signal?.addEventListener('abort', attempt);
        this.begin(attempt);
      } else this.park(attempt);
    });
  }

  private refusal({ call, number }: Attempt): DownstreamError | undefined {
    if (call.context.signal?.aborted) return this.error('cancelled', 'the caller went away');
    const retryAfterMs = this.breaker.refusal();
    if (retryAfterMs !== undefined) {
      this.counts.refused++;
      const state = this.breaker.name;
      this.log.refused(call, number, state);
      const message = `the breaker is ${state}`;
      return refusal({ service: this.service, reason: 'circuit_open', message, retryAfterMs });
    }
    if (this.clock.now() >= (call.context.deadlineMs ?? Infinity)) {
      return this.error('deadline', 'the deadline had passed before the attempt began');
    }
    return undefined;
  }

  private park(attempt: Attempt): void {
    if (!this.bulkhead.park(attempt)) {
      this.counts.saturated++;
      const { service } = this;
      const retryAfterMs = this.settings.retry_base_ms;
      attempt.reject(refusal({ service, reason: 'saturated', message: 'too many calls at once', retryAfterMs }));
      return;
    }
    attempt.call.context.signal?.addEventListener('abort', attempt);
    attempt.expiresAtMs = attempt.call.context.deadlineMs ?? Infinity;
    if (attempt.expiresAtMs < Infinity) this.expiries.add(attempt);
  }

  /** Lets in whom the bulkhead has room for. */
  private admit(): void {
    for (let attempt = this.bulkhead.next(); attempt !== undefined; attempt = this.bulkhead.next()) {
      const refused = this.refusal(attempt);
      if (refused === undefined) this.begin(attempt);
      else this.leaveQueue(attempt, refused);
    }
  }

  private leaveQueue(attempt: Attempt, error: DownstreamError): void {
    this.bulkhead.unpark(attempt);
    this.forget(attempt);
    attempt.reject(error);
  }

  private begin(attempt: Attempt): void {
    const now = this.clock.now();
    attempt.phase = 'running';
    attempt.beganAtMs = now;
    attempt.expiresAtMs = Math.min(now + this.settings.timeout_ms, attempt.call.context.deadlineMs ?? Infinity);
    this.expiries.add(attempt);
    this.bulkhead.enter();
    this.breaker.enter(attempt);
    this.counts.attempts++;
    this.log.began(attempt);
    attempt.trace = this.traceAttempt?.(attempt);
    let running: PromiseLike<unknown>;
    try {
      running = attempt.run(attempt);
    } catch (error) {
      return this.fail(attempt, error);
    }
    running.then(
      (value) => this.succeed(attempt, value),
      (error: unknown) => this.fail(attempt, error),
    );
  }

  private succeed(attempt: Attempt, value: unknown): void {
    if (attempt.phase !== 'running') return;
    this.log.succeeded(attempt);
    if (attempt.call.streamMs === undefined) this.end(attempt, 'success', 'success');
    else {
      attempt.phase = 'streaming';
      attempt.answeredAfterMs = this.clock.now() - attempt.beganAtMs;
      this.limit(attempt, Infinity);
      this.breaker.alive(attempt);
      this.admit();
    }
    attempt.resolve(value);
  }

  private fail(attempt: Attempt, error: unknown): void {
    if (attempt.phase === 'over') return;
    if (error instanceof DownstreamError) {
      const outcome = OUTCOME[error.reason];
      this.log.failed(attempt, error);
      if (outcome === 'failure') this.lastFailure = { at: this.clock.wallMs(), reason: error.reason };
      this.end(attempt, outcome, error.reason);
    } else this.end(attempt, 'neutral', 'error');
    attempt.reject(error);
  }

  private end(attempt: Attempt, outcome: Outcome, name: string): void {
    const durationMs = attempt.answeredAfterMs ?? this.clock.now() - attempt.beganAtMs;
    this.forget(attempt);
    this.bulkhead.leave();
    const wallMs = this.clock.wallMs();
    this.history.record(wallMs, name, durationMs, attempt.call.context.requestId);
    this.minutes.record(wallMs, outcome, durationMs);
    this.breaker.report(attempt, outcome, durationMs);
    this.onAttempt?.(attempt, name, durationMs);
    attempt.trace?.end(name, attempt.status);
    this.admit();
  }

  private forget(attempt: Attempt): void {
    attempt.phase = 'over';
    this.expiries.remove(attempt);
    attempt.call.context.signal?.removeEventListener('abort', attempt);
  }

  /** Ends an attempt from outside, on the wire too. */
  private interrupt(attempt: Attempt, error: DownstreamError): void {
    if (attempt.phase === 'waiting') this.leaveQueue(attempt, error);
    else if (attempt.phase !== 'over') {
      this.fail(attempt, error);
      attempt.abort(error);
    }
  }

  cancelled(attempt: Attempt): void {
    this.interrupt(attempt, this.error('cancelled', 'the caller went away'));
  }

  expired(attempt: Attempt): void {
    const { deadlineMs = Infinity } = attempt.call.context;
    const tookMs = Math.round(this.clock.now() - attempt.beganAtMs);
    const error =
      attempt.phase === 'waiting'
        ? this.error('deadline', 'the deadline passed while the call waited for its turn')
        : attempt.expiresAtMs >= deadlineMs
          ? this.error('deadline', `the deadline passed after ${tookMs} ms`)
          : this.error('timeout', `no ${attempt.phase === 'running' ? '' : 'further '}answer after ${tookMs} ms`);
    this.interrupt(attempt, error);
  }

  limit(attempt: Attempt, withinMs: number): void {
    if (attempt.phase !== 'streaming') return;
    const { context, streamMs = Infinity } = attempt.call;
    const lastMs = Math.min(attempt.beganAtMs + streamMs, context.deadlineMs ?? Infinity);
    attempt.expiresAtMs = Math.min(lastMs, this.clock.now() + withinMs);
    this.expiries.add(attempt);
  }

  finished(attempt: Attempt, error: unknown): void {
    if (attempt.phase !== 'streaming') return;
    if (error === undefined) this.end(attempt, 'success', 'success');
    else this.fail(attempt, error);
  }

  private changed(transition: Transition): void {
    this.log.changed(transition);
    this.history.decide(transition);
    if (transition.to === 'open') {
      const error = this.error('circuit_open', transition.why, this.breaker.refusal());
      for (const attempt of this.bulkhead.evict()) this.leaveQueue(attempt, error);
    }
    this.onTransition(transition);
  }

  private error(reason: DownstreamReason, message: string, retryAfterMs?: number): DownstreamError {
    return new DownstreamError({ service: this.service, reason, message, retryAfterMs });
  }
}

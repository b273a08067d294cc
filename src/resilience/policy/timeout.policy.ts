import type { IPolicy } from 'cockatiel';
import type { ClientName } from '../../config/config.schema.js';
import { Attempt, type StreamLimits } from './attempt.js';
import type { Clock } from './clock.js';
import type { DownstreamReason } from '../../contract/downstream-reason.js';
import { DownstreamError } from './downstream-error.js';
import type { Expiring, ExpiryQueue } from './expiry-queue.js';
import { PolicyEvents } from './policy-events.js';
import { type AttemptContext, start, type Work } from './work.js';

export interface TimeoutOptions {
  service: ClientName;
  /** The longest that one attempt may take, to its first part where the answer is streamed. */
  timeoutMs: number;
  clock: Clock;
  expiries: ExpiryQueue;
}

/**
 * Ends an attempt at the first of: its answer, `timeoutMs`, the call's deadline, the caller's disconnect. What comes later
 * changes nothing. Replaces cockatiel's `timeout`, which
 * - reports a caller's abort as a timeout (trap "a caller who disconnects is told apart from a timeout";
 *   TimeoutPolicy.ts `execute`: one controller serves both),
 * - aborts the signal when the handler returns, although a streamed body is still being read (trap "the body is still
 *   being read when the handler has returned"; `abortOnReturn`),
 * - costs a timer and an AbortController for each call.
 */
export class TimeoutPolicy implements IPolicy<AttemptContext> {
  declare readonly _altReturn: never;
  private readonly events = new PolicyEvents();
  readonly onSuccess = this.events.onSuccess;
  readonly onFailure = this.events.onFailure;

  constructor(private options: TimeoutOptions) {}

  /** Later attempts get the new limit; those under way keep theirs. */
  reconfigure(timeoutMs: number): void {
    this.options = { ...this.options, timeoutMs };
  }

  /** @throws DownstreamError `timeout`, `deadline` or `cancelled`; and what the work throws */
  execute<T>(work: Work<T>, signal?: AbortSignal): Promise<T> {
    const attempt = Attempt.of(signal);
    return this.events.watch(
      new Promise<T>((resolve, reject) => new TimedRun(attempt, this.options, resolve, reject).begin(work)),
    );
  }
}

/** One attempt under its limits. */
class TimedRun<T> implements Expiring, StreamLimits {
  private phase: 'running' | 'streaming' | 'over' = 'running';
  private readonly beganAtMs: number;
  /** When the service's own limit ends the attempt, whatever the call's deadline. */
  private limitMs: number;
  expiresAtMs: number;

  constructor(
    private readonly attempt: Attempt,
    private readonly options: TimeoutOptions,
    private readonly resolve: (value: T) => void,
    private readonly reject: (error: unknown) => void,
  ) {
    this.beganAtMs = options.clock.now();
    this.limitMs = this.beganAtMs + options.timeoutMs;
    this.expiresAtMs = Math.min(this.limitMs, this.deadlineMs);
    attempt.expiresAtMs = this.expiresAtMs;
  }

  begin(work: Work<T>): void {
    this.attempt.parent?.addEventListener('abort', this);
    this.options.expiries.add(this);
    start(work, this.attempt).then(
      (value) => this.succeed(value),
      (error: unknown) => this.fail(error),
    );
  }

  /** The caller's signal calls this. */
  handleEvent(): void {
    this.interrupt(this.error('cancelled', 'the caller disconnected'));
  }

  expire(): void {
    const tookMs = Math.round(this.options.clock.now() - this.beganAtMs);
    const further = this.phase === 'running' ? '' : 'further ';
    this.interrupt(
      this.expiresAtMs < this.limitMs
        ? this.error('deadline', `the deadline passed after ${tookMs} ms`)
        : this.error('timeout', `no ${further}answer after ${tookMs} ms`),
    );
  }

  limit(withinMs: number): void {
    if (this.phase !== 'streaming') return;
    const { clock, expiries } = this.options;
    this.limitMs = Math.min(this.beganAtMs + (this.attempt.call.streamMs ?? Infinity), clock.now() + withinMs);
    this.expiresAtMs = Math.min(this.limitMs, this.deadlineMs);
    expiries.add(this);
  }

  finish(error: unknown): void {
    if (this.phase !== 'streaming') return;
    this.leave();
    this.attempt.streamEnded(error);
  }

  private succeed(value: T): void {
    if (this.phase !== 'running') return;
    if (this.attempt.call.streamMs === undefined) this.leave();
    else {
      this.phase = 'streaming';
      this.attempt.stream = this;
      this.limit(Infinity);
    }
    this.resolve(value);
  }

  private fail(error: unknown): void {
    if (this.phase === 'streaming') return this.finish(error);
    if (this.phase !== 'running') return;
    this.leave();
    this.reject(error);
  }

  /** The policies around this one hear of the end before the request is taken off the wire. */
  private interrupt(error: DownstreamError): void {
    this.fail(error);
    this.attempt.abort(error);
  }

  private leave(): void {
    this.phase = 'over';
    this.options.expiries.remove(this);
    this.attempt.parent?.removeEventListener('abort', this);
  }

  private get deadlineMs(): number {
    return this.attempt.call.context.deadlineMs ?? Infinity;
  }

  private error(reason: DownstreamReason, message: string): DownstreamError {
    return new DownstreamError({ service: this.options.service, reason, message });
  }
}

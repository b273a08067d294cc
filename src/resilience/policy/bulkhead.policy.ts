import { EventEmitter, type IPolicy } from 'cockatiel';
import type { ClientName, DownstreamSettings } from '../../config/config.schema.js';
import { Attempt } from './attempt.js';
import { type Clock, systemClock } from './clock.js';
import { DownstreamError, refusal } from './downstream-error.js';
import type { Expiring, ExpiryQueue } from './expiry-queue.js';
import { GradientLimit } from './gradient-limit.js';
import { PolicyEvents } from './policy-events.js';
import { type AttemptContext, follow, start, type Work } from './work.js';

/** Decides, besides the number of attempts, whether another one may begin: the breaker. */
export interface Gate {
  /** Why this attempt may not begin at all, now or from the queue. */
  refusal(attempt: Attempt): DownstreamError | undefined;
  /** False: the attempt may begin later, when another one has ended. */
  readonly hasRoom: boolean;
}

export interface BulkheadOptions {
  service: ClientName;
  limits: DownstreamSettings['bulkhead'];
  /** What a caller that finds the queue full is told to wait, in milliseconds. */
  retryAfterMs: number;
  expiries: ExpiryQueue;
  gate?: Gate;
  clock?: Clock;
}

/**
 * At most `concurrency` attempts at one service at a time (with `adaptive` fewer, while the service is slow), and a bounded
 * queue before it. Replaces cockatiel's `bulkhead`, where a queued call that is aborted keeps its place in the queue until a
 * slot is free (trap "a queued call is aborted"; BulkheadPolicy.ts `dequeue` looks at the signal only then), and where an
 * opening breaker leaves the queue full.
 */
export class BulkheadPolicy implements IPolicy<AttemptContext> {
  declare readonly _altReturn: never;
  active = 0;
  private readonly queue = new Set<Queued>();
  private readonly events = new PolicyEvents();
  private readonly rejects = new EventEmitter<Attempt>();
  readonly onSuccess = this.events.onSuccess;
  readonly onFailure = this.events.onFailure;
  /** An attempt found the queue full. */
  readonly onReject = this.rejects.addListener;

  private readonly adaptive: GradientLimit;

  constructor(private options: BulkheadOptions) {
    this.adaptive = new GradientLimit(options.limits.concurrency);
  }

  /** The most attempts at a time now. */
  get limit(): number {
    const { adaptive, concurrency } = this.options.limits;
    return adaptive ? this.adaptive.current : concurrency;
  }

  get queued(): number {
    return this.queue.size;
  }

  reconfigure(limits: DownstreamSettings['bulkhead'], retryAfterMs: number): void {
    this.options = { ...this.options, limits, retryAfterMs };
    this.adaptive.reconfigure(limits.concurrency);
    this.admit();
  }

  /** @throws DownstreamError `saturated`, `deadline`, `cancelled` and those of the gate; and what the work throws */
  execute<T>(work: Work<T>, signal?: AbortSignal): Promise<T> {
    const attempt = Attempt.of(signal);
    const refused = this.options.gate?.refusal(attempt);
    if (refused !== undefined) return Promise.reject(refused);
    if (this.hasRoom) return this.events.watch(this.run(work, attempt));
    if (this.queue.size >= this.options.limits.queue) return Promise.reject(this.saturated(attempt));
    return this.events.watch(this.park(work, attempt));
  }

  /** Rejects everything that is queued. */
  evict(error: DownstreamError): void {
    for (const queued of [...this.queue]) queued.leave(error);
  }

  private get hasRoom(): boolean {
    return this.active < this.limit && this.options.gate?.hasRoom !== false;
  }

  private run<T>(work: Work<T>, attempt: Attempt): Promise<T> {
    this.active++;
    const running = start(work, attempt);
    if (this.options.limits.adaptive) return this.measured(running, attempt);
    follow(running, attempt, { answered: this.admit, ended: this.release });
    return running;
  }

  /** The time to the answer, or to the first part of a stream, sets the limit. A failed attempt counts with its whole time. */
  private measured<T>(running: Promise<T>, attempt: Attempt): Promise<T> {
    const { clock = systemClock } = this.options;
    const beganMs = clock.now();
    let measured = false;
    const measure = () => {
      if (!measured) this.adaptive.ended(clock.now() - beganMs, this.active);
      measured = true;
    };
    follow(running, attempt, {
      answered: () => {
        measure();
        this.admit();
      },
      ended: () => {
        measure();
        this.release();
      },
    });
    return running;
  }

  private readonly release = (): void => {
    this.active--;
    this.admit();
  };

  /** Starts queued attempts while slots are free. */
  private readonly admit = (): void => {
    for (const queued of this.queue) {
      if (!this.hasRoom) return;
      const refused = this.options.gate?.refusal(queued.attempt);
      if (refused === undefined) queued.start();
      else queued.leave(refused);
    }
  };

  private park<T>(work: Work<T>, attempt: Attempt): Promise<T> {
    const { service, expiries } = this.options;
    return new Promise<T>((resolve, reject) => {
      const begin = () => void this.run(work, attempt).then(resolve, reject);
      new Queued(attempt, this.queue, expiries, service, begin, reject).enter();
    });
  }

  private saturated(attempt: Attempt): DownstreamError {
    this.rejects.emit(attempt);
    const { service, retryAfterMs } = this.options;
    return refusal({ service, reason: 'saturated', message: 'too many calls at once', retryAfterMs });
  }
}

/** An attempt that waits for a slot. It gives up its place at its deadline and when its caller disconnects. */
class Queued implements Expiring {
  readonly expiresAtMs: number;

  constructor(
    readonly attempt: Attempt,
    private readonly queue: Set<Queued>,
    private readonly expiries: ExpiryQueue,
    private readonly service: ClientName,
    private readonly begin: () => void,
    private readonly reject: (error: DownstreamError) => void,
  ) {
    this.expiresAtMs = attempt.call.lastBeginMs;
  }

  enter(): void {
    this.queue.add(this);
    this.attempt.parent?.addEventListener('abort', this);
    if (this.expiresAtMs < Infinity) this.expiries.add(this);
  }

  start(): void {
    this.exit();
    this.begin();
  }

  leave(error: DownstreamError): void {
    this.exit();
    this.reject(error);
  }

  expire(): void {
    this.leave(this.error('deadline', 'the deadline passed while the call was queued'));
  }

  /** The caller's signal calls this. */
  handleEvent(): void {
    this.leave(this.error('cancelled', 'the caller disconnected'));
  }

  private exit(): void {
    this.queue.delete(this);
    this.expiries.remove(this);
    this.attempt.parent?.removeEventListener('abort', this);
  }

  private error(reason: 'deadline' | 'cancelled', message: string): DownstreamError {
    return new DownstreamError({ service: this.service, reason, message });
  }
}

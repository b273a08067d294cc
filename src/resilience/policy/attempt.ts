import type { CallContext } from './call-context.js';
import type { Ticket } from './circuit-breaker.js';
import type { DownstreamError } from './downstream-error.js';
import type { Expiring } from './expiry-queue.js';
import type { Ramp } from './ramp.js';

/** One call through the policy, which may take several attempts. */
export interface Call {
  method: string;
  /** Without the query. */
  path: string;
  /** The path's template, for metrics. */
  route: string;
  context: CallContext;
  /** Whether it may be made again without harm. */
  repeatable: boolean;
  /** The limit of an answer that goes on after its first byte; such an attempt is over with {@link Attempt.finish}. */
  streamMs?: number;
}

export type Run = (attempt: Attempt) => PromiseLike<unknown>;

/** What a trace keeps of an attempt. */
export interface AttemptTrace {
  /** What the attempt carries, so that what is done for it becomes its child. */
  readonly traceparent: string;
  /** @param outcome `success`, or the reason of the failure */
  end(outcome: string, status: number | undefined): void;
}

/** What an attempt tells the policy. */
export interface AttemptHost {
  expired(attempt: Attempt): void;
  cancelled(attempt: Attempt): void;
  finished(attempt: Attempt, error: unknown): void;
  limit(attempt: Attempt, withinMs: number): void;
}

/**
 * One try at a call. To what carries it out it is the signal of its end (axios takes it as one): `aborted` and
 * `onabort`, without the cost of an AbortController.
 */
export class Attempt implements Ticket, Expiring {
  phase: 'waiting' | 'running' | 'streaming' | 'over' = 'waiting';
  generation = 0;
  ramp: Ramp | undefined = undefined;
  beganAtMs = 0;
  /** To the answer's first part; the rest of a streamed answer takes as long as it is long. */
  answeredAfterMs: number | undefined = undefined;
  expiresAtMs = Infinity;
  /** Only while somebody traces. */
  trace: AttemptTrace | undefined = undefined;
  /** Of the answer, whatever it was worth. */
  status: number | undefined = undefined;
  aborted = false;
  /** Set by whatever carries the attempt out: takes it off the wire. */
  onabort: ((reason: DownstreamError) => void) | null = null;

  constructor(
    readonly call: Call,
    /** 1 for the first. */
    readonly number: number,
    /** How many there may be. */
    readonly of: number,
    readonly run: Run,
    readonly resolve: (value: unknown) => void,
    readonly reject: (error: unknown) => void,
    private readonly host: AttemptHost,
  ) {}

  expire(): void {
    this.host.expired(this);
  }

  /** The caller's signal calls this. */
  handleEvent(): void {
    this.host.cancelled(this);
  }

  /** The next part of a streamed answer must come by then; `Infinity`: nobody is waiting for it. */
  limit(withinMs: number): void {
    this.host.limit(this, withinMs);
  }

  /** The end of a streamed answer: with the error it broke off with, or without one. */
  finish(error?: unknown): void {
    this.host.finished(this, error);
  }

  abort(reason: DownstreamError): void {
    this.aborted = true;
    this.onabort?.(reason);
  }
}

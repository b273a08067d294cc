import { Call } from './call.js';
import type { Clock } from './clock.js';
import type { Ticket } from './circuit-breaker.js';
import { LightSignal } from './light-signal.js';
import type { Ramp } from './ramp.js';

/** The span of an attempt. */
export interface AttemptTrace {
  /** Sent with the attempt, so that the spans of its server become children of this span. */
  readonly traceparent: string;
}

/** The limits of an answer that goes on as a stream. The timeout policy sets them. */
export interface StreamLimits {
  /** The next part must come within `withinMs` milliseconds; `Infinity`: the reader is not waiting. */
  limit(withinMs: number): void;
  finish(error: unknown): void;
}

/**
 * One try at a call, and the signal of its end: `aborted` when it timed out or the caller disconnected. It carries what
 * the policies need to know of each other's work, because cockatiel's `wrap` hands nothing else from one to the next.
 */
export class Attempt extends LightSignal implements Ticket {
  generation = 0;
  ramp: Ramp | undefined = undefined;
  suspect: string | undefined = undefined;
  /** When the attempt is ended at the latest, on the scale of the clock. */
  expiresAtMs = Infinity;
  stream: StreamLimits | undefined = undefined;
  /** Only while spans are recorded. */
  trace: AttemptTrace | undefined = undefined;
  /** HTTP status of the answer, good or bad. */
  status: number | undefined = undefined;
  private ends: ((error: unknown) => void)[] | undefined = undefined;
  private beganAtMs = 0;
  private answeredAtMs: number | undefined = undefined;

  constructor(
    readonly call: Call,
    /** 1 for the first. */
    readonly number: number,
    /** The most attempts that this call may have. */
    readonly of: number,
  ) {
    super(call.parent);
  }

  /** The attempt that a policy is given; a signal from a policy that is not ours becomes a first and only attempt. */
  static of(signal: AbortSignal | undefined): Attempt {
    return signal instanceof Attempt ? signal : new Attempt(Call.of(signal), 1, 1);
  }

  /** Marks the start of the work. */
  begin(clock: Clock): void {
    this.beganAtMs = clock.now();
    this.answeredAtMs = undefined;
  }

  /**
   * Marks the answer: the first part of a streamed one, or the failure. All policies hear of it in one turn and share one
   * reading of the clock. @returns milliseconds from the start to the first mark
   */
  answered(clock: Clock): number {
    return (this.answeredAtMs ??= clock.now()) - this.beganAtMs;
  }

  /** Limits the wait for the next part of a streamed answer. */
  limit(withinMs: number): void {
    this.stream?.limit(withinMs);
  }

  /** Ends a streamed answer: with the error that broke it off, or without one. */
  finish(error?: unknown): void {
    this.stream?.finish(error);
  }

  /** Calls `end` when a streamed answer has ended, in the order in which the policies asked, innermost first. */
  onStreamEnd(end: (error: unknown) => void): void {
    (this.ends ??= []).push(end);
  }

  /** For the timeout policy, which knows when the stream has ended. */
  streamEnded(error: unknown): void {
    const ends = this.ends ?? [];
    this.ends = undefined;
    for (const end of ends) end(error);
  }
}

import type { CallContext } from './call-context.js';
import { LightSignal } from './light-signal.js';

export interface CallDetails {
  method: string;
  /** Without the query. */
  path: string;
  /** The path's template, for metrics. */
  route: string;
  context: CallContext;
  /** Whether a second attempt is safe: the call is idempotent or has an idempotency key. */
  repeatable: boolean;
  /**
   * Only for an answer that goes on after the work has returned (a stream): its limit in milliseconds. Such an attempt
   * ends with {@link Attempt.finish}.
   */
  streamMs?: number;
}

const ANONYMOUS = { method: '', path: '', route: '', repeatable: true };

/**
 * One call, which may take several attempts. It travels through cockatiel's `wrap` as the signal of the call, because a
 * policy is given nothing else: `aborted` means that the caller disconnected.
 */
export class Call extends LightSignal implements CallDetails {
  readonly method: string;
  readonly path: string;
  readonly route: string;
  readonly context: CallContext;
  readonly repeatable: boolean;
  readonly streamMs: number | undefined;

  constructor({ method, path, route, context, repeatable, streamMs }: CallDetails) {
    super(context.signal);
    this.method = method;
    this.path = path;
    this.route = route;
    this.context = context;
    this.repeatable = repeatable;
    this.streamMs = streamMs;
  }

  /** No attempt begins at this time or later, on the scale of the clock: nothing would wait for its answer. */
  get lastBeginMs(): number {
    const { deadlineMs = Infinity, waitsUntilMs = Infinity } = this.context;
    return Math.min(deadlineMs, waitsUntilMs);
  }

  /** The call that a policy is given. A plain signal, from a policy that is not ours, becomes a call without details. */
  static of(signal: AbortSignal | undefined): Call {
    if (signal instanceof Call) return signal;
    return new Call({ ...ANONYMOUS, context: { requestId: '', ...(signal === undefined ? {} : { signal }) } });
  }
}

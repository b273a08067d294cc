import type { DownstreamReason } from '../../contract/downstream-reason.js';

/** For a service with several endpoints: which of them a call prefers, and which one has answered it. */
export interface EndpointChoice {
  /** Endpoints with a lower rank are called first; the others, where those give no answer. */
  rank(url: string): number;
  /** Whether this start of an endpoint may answer, as long as there is another endpoint to call. */
  accepts(url: string, instance: string | undefined): boolean;
  answered(url: string): void;
}

/** On whose behalf a call is made, and what bounds it. */
export interface CallContext {
  requestId: string;
  userId?: string;
  /** The network address of a request without a user. */
  address?: string;
  /** On the scale of `performance.now()`; without it only the attempts are bounded. */
  deadlineMs?: number;
  /**
   * When the caller stops waiting, on the same scale: no attempt begins after it. One under way goes on to its own limits,
   * so that the breaker learns how the service fares.
   */
  waitsUntilMs?: number;
  /** Aborts when the caller disconnects. */
  signal?: AbortSignal;
  /** Makes a call that is not idempotent safe to repeat. */
  idempotencyKey?: string;
  /** The W3C trace context to pass on; with tracing, the parent of each attempt's own. */
  traceparent?: string;
  /** Without it a call goes to any endpoint. */
  endpoints?: EndpointChoice;
  /** Told of each failed attempt while the call goes on. */
  onAttemptFailed?: (reason: DownstreamReason) => void;
}

import type { ClientName } from '../../config/config.schema.js';
import type { DownstreamReason } from '../../contract/downstream-reason.js';

export interface DownstreamErrorDetails {
  service: ClientName;
  reason: DownstreamReason;
  message: string;
  /** Of the downstream's answer, where there was one. */
  status?: number;
  /** How long to wait before the next call. */
  retryAfterMs?: number | undefined;
  /** The downstream's own account of a `rejected` call. */
  problem?: { code: string; detail: string } | undefined;
  /** The downstream has tried for itself and asks not to be tried again. */
  doNotRetry?: boolean;
  cause?: unknown;
}

/** The only error that leaves `resilience/`. */
export class DownstreamError extends Error {
  readonly service: ClientName;
  readonly reason: DownstreamReason;
  readonly status: number | undefined;
  readonly retryAfterMs: number | undefined;
  readonly problem: { code: string; detail: string } | undefined;
  readonly doNotRetry: boolean;

  constructor({ service, reason, message, status, retryAfterMs, problem, doNotRetry, cause }: DownstreamErrorDetails) {
    super(message, { cause });
    this.name = 'DownstreamError';
    this.service = service;
    this.reason = reason;
    this.status = status;
    this.retryAfterMs = retryAfterMs;
    this.problem = problem;
    this.doNotRetry = doNotRetry ?? false;
  }
}

/**
 * An error for what was not even tried. It comes from here and nowhere else, and a storm of refusals must stay cheap: so
 * it has no stack.
 */
export function refusal(details: DownstreamErrorDetails): DownstreamError {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return new DownstreamError(details);
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

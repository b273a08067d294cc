import type { DownstreamReason } from '../../contract/downstream-reason.js';
import type { Outcome } from './circuit-breaker.js';
import { DownstreamError } from './downstream-error.js';

/**
 * What each reason says of the service. A deadline says nothing: an attempt that had the service's own full timeout ends
 * with `timeout`, and a caller that sets a shorter deadline must not open the breaker for others.
 */
const OUTCOME: Record<DownstreamReason, Outcome> = {
  unreachable: 'failure',
  timeout: 'failure',
  fault: 'failure',
  protocol: 'failure',
  rejected: 'success',
  deadline: 'neutral',
  saturated: 'neutral',
  circuit_open: 'neutral',
  cancelled: 'neutral',
};
const INSUFFICIENT_STORAGE = 507;

/**
 * What the end of an attempt says of the service; `undefined` is a success. An error that is not a
 * {@link DownstreamError} is a bug on this side and says nothing.
 */
export function outcomeOf(error: unknown): Outcome {
  if (error === undefined) return 'success';
  if (!(error instanceof DownstreamError)) return 'neutral';
  // A full disk stops writes and says nothing of reads.
  return error.status === INSUFFICIENT_STORAGE ? 'neutral' : OUTCOME[error.reason];
}

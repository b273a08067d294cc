import type { Outcome } from './circuit-breaker.js';
import type { DownstreamReason } from '../../contract/downstream-reason.js';
import type { DownstreamError } from './downstream-error.js';

/** What each reason says of the service. */
const OUTCOME: Record<DownstreamReason, Outcome> = {
  unreachable: 'failure',
  timeout: 'failure',
  fault: 'failure',
  protocol: 'failure',
  deadline: 'neutral',
  rejected: 'success',
  saturated: 'neutral',
  circuit_open: 'neutral',
  cancelled: 'neutral',
};
const INSUFFICIENT_STORAGE = 507;

/**
 * What a failed attempt says of the service.
 * @param hadItsTime whether the attempt lasted as long as the service's own timeout: a shorter deadline is the caller's
 */
export function outcomeOf({ reason, status }: DownstreamError, hadItsTime: boolean): Outcome {
  if (reason === 'deadline' && hadItsTime) return 'failure';
  // A full disk says nothing of reads, which go on.
  if (status === INSUFFICIENT_STORAGE) return 'neutral';
  return OUTCOME[reason];
}

import type { CallContext } from '../../resilience/policy/call-context.js';
import type { DownstreamReason } from '../../contract/downstream-reason.js';
import { DownstreamError } from '../../resilience/policy/downstream-error.js';

/** Reasons with which the service refused the change or never received it. */
const NOTHING_DONE: ReadonlySet<DownstreamReason> = new Set(['rejected', 'circuit_open', 'saturated']);

/**
 * Calls a service for a change. If the call fails, `failed` first learns whether it is certain that nothing was
 * changed. It is not certain once the answer of any attempt was lost, however the last attempt ended.
 */
export async function change<T, C extends CallContext>(
  call: C,
  work: (call: C) => Promise<T>,
  failed: (nothingDone: boolean) => Promise<void>,
): Promise<T> {
  let certain = true;
  const onAttemptFailed = (reason: DownstreamReason) => {
    certain &&= NOTHING_DONE.has(reason);
  };
  try {
    return await work({ ...call, onAttemptFailed });
  } catch (error) {
    if (error instanceof DownstreamError) onAttemptFailed(error.reason);
    else certain = false;
    await failed(certain);
    throw error;
  }
}

import type { CallContext } from '../../resilience/policy/call-context.js';
import type { DownstreamReason } from '../../contract/downstream-reason.js';
import { DownstreamError } from '../../resilience/policy/downstream-error.js';

/** The service said no, or was never asked. */
const NOTHING_DONE: ReadonlySet<DownstreamReason> = new Set(['rejected', 'circuit_open', 'saturated']);

/**
 * Asks a service for a change. Should that fail, `failed` is told before anybody else whether it is certain that nothing
 * was done: it is not once an attempt's answer was lost, however the last attempt ended.
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

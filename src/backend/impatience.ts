import type { ServiceName } from '../config/config.schema.js';
import type { CallContext } from '../resilience/call-context.js';
import { DownstreamError } from '../resilience/downstream-error.js';

/**
 * Makes a call that can be done without: settles with it, as soon as its first attempt has failed, or after `withinMs`. A
 * call whose first attempt has failed goes on by itself, so that the service's breaker learns how it ended.
 * @throws DownstreamError of the first failed attempt
 */
export function withoutRetries<T, C extends CallContext>(
  service: ServiceName,
  call: C,
  work: (call: C) => Promise<T>,
  withinMs = Infinity,
): Promise<T> {
  const deadlineMs = Math.min(call.deadlineMs ?? Infinity, performance.now() + withinMs);
  return new Promise((resolve, reject) => {
    const onAttemptFailed: CallContext['onAttemptFailed'] = (reason) =>
      reject(new DownstreamError({ service, reason, message: `the first attempt failed: ${reason}` }));
    work({ ...call, deadlineMs, onAttemptFailed }).then(resolve, reject);
  });
}

import type { ServiceName } from '../config/config.schema.js';
import type { CallContext } from '../resilience/call-context.js';
import { DownstreamError } from '../resilience/downstream-error.js';

/**
 * Makes a call that can be done without: settles with it, or as soon as its first attempt has failed. The call goes on
 * by itself, so that the service's breaker learns how it ended.
 * @throws DownstreamError of the first failed attempt
 */
export function withoutRetries<T, C extends CallContext>(
  service: ServiceName,
  call: C,
  work: (call: C) => Promise<T>,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAttemptFailed: CallContext['onAttemptFailed'] = (reason) =>
      reject(new DownstreamError({ service, reason, message: `the first attempt failed: ${reason}` }));
    work({ ...call, onAttemptFailed }).then(resolve, reject);
  });
}

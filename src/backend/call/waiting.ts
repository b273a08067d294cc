import type { ServiceName } from '../../config/config.schema.js';
import type { CallContext } from '../../resilience/policy/call-context.js';
import { DownstreamError } from '../../resilience/policy/downstream-error.js';

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

/**
 * Waits for what is asked beside other work, but no longer than `graceMs` after that has ended.
 * @returns whether it ended in time
 * @throws what either of them throws while it is waited for
 */
export async function waitAtMost(asked: Promise<unknown>, work: Promise<unknown>, graceMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  let waiting = true;
  const late = work.then(
    () =>
      new Promise<boolean>((resolve) => {
        if (waiting) timer = setTimeout(() => resolve(false), graceMs);
      }),
  );
  try {
    return await Promise.race([asked.then(() => true), late]);
  } finally {
    waiting = false;
    clearTimeout(timer);
  }
}

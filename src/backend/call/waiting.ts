import type { ClientName } from '../../config/config.schema.js';
import type { CallContext } from '../../resilience/policy/call-context.js';
import { DownstreamError } from '../../resilience/policy/downstream-error.js';

/**
 * Makes a call whose result is optional. Settles when the call does, when its first attempt has failed, or after
 * `withinMs`. The call itself goes on, so that the service's breaker records its outcome.
 * @throws DownstreamError of the first failed attempt, or `deadline`
 */
export function withoutRetries<T, C extends CallContext>(
  service: ClientName,
  call: C,
  work: (call: C) => Promise<T>,
  withinMs = Infinity,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAttemptFailed: CallContext['onAttemptFailed'] = (reason) =>
      reject(new DownstreamError({ service, reason, message: `the first attempt failed: ${reason}` }));
    waitUntil(service, { ...call, onAttemptFailed }, performance.now() + withinMs, work).then(resolve, reject);
  });
}

/**
 * Waits for a call until a time set by this server, not by the caller (on the scale of `performance.now()`). The
 * running attempt then goes on until the service's own timeout, because a shorter wait is no sign of a failure.
 * @throws DownstreamError of the call, or `deadline`
 */
export function waitUntil<T, C extends CallContext>(
  service: ClientName,
  call: C,
  untilMs: number,
  work: (call: C) => Promise<T>,
): Promise<T> {
  if (untilMs >= (call.deadlineMs ?? Infinity)) return work(call);
  return new Promise((resolve, reject) => {
    const message = 'the answer took longer than it is waited for';
    const giveUp = () => reject(new DownstreamError({ service, reason: 'deadline', message }));
    const timer = setTimeout(giveUp, untilMs - performance.now());
    work({ ...call, waitsUntilMs: untilMs })
      .finally(() => clearTimeout(timer))
      .then(resolve, reject);
  });
}

/**
 * Waits for a call that runs in parallel to other work, but at most `graceMs` longer than the work.
 * @returns whether the call ended in time
 * @throws the error of either, while it is waiting
 */
export async function waitAtMost(call: Promise<unknown>, work: Promise<unknown>, graceMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  let waiting = true;
  const timeout = work.then(
    () =>
      new Promise<boolean>((resolve) => {
        if (waiting) timer = setTimeout(() => resolve(false), graceMs);
      }),
  );
  try {
    return await Promise.race([call.then(() => true), timeout]);
  } finally {
    waiting = false;
    clearTimeout(timer);
  }
}

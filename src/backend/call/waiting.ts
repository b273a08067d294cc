import type { ClientName } from '../../config/config.schema.js';
import type { CallContext } from '../../resilience/policy/call-context.js';
import { DownstreamError } from '../../resilience/policy/downstream-error.js';

/**
 * Makes a call that can be done without: settles with it, as soon as its first attempt has failed, or after `withinMs`. The
 * call itself goes on, so that the service's breaker learns how it ended.
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
 * Waits for a call until a time that is ours, not the caller's (on the scale of `performance.now()`). The attempt that is
 * under way then goes on to the service's own timeout: a shorter wait says nothing about the service.
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

import { ExponentialBackoff, type IBackoff, noJitterGenerator } from 'cockatiel';

/** The longest that a call waits before its next attempt, whatever a `Retry-After` asks. */
export const LONGEST_WAIT_MS = 60_000;

/** Waits of `base`, 2 × `base`, 4 × `base` …, before {@link withJitter}. */
export function backoff(baseMs: number): IBackoff<unknown> {
  return new ExponentialBackoff({
    initialDelay: baseMs,
    maxDelay: LONGEST_WAIT_MS,
    generator: noJitterGenerator,
  }).next();
}

/** Up to a fifth more, so that callers that failed together do not come back together. */
export function withJitter(waitMs: number): number {
  return waitMs * (1 + Math.random() / 5);
}

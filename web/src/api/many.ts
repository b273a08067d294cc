import { ApiProblem, BackendAway, isPassing } from './client.ts';
import { connection } from './connection.ts';

const PARALLEL = 4;
/** One person may send 600 requests a minute. Work on many documents takes half of them, so that the page stays usable. */
const SPACING_MS = 200;
/** A pause saves up turns: so many requests go out without a wait. */
const SAVED_TURNS = 200;

/** When the turn of the next request is due, in the time of `performance.now()`. */
let dueMs = -Infinity;

function untilNextTurnMs(): number {
  const nowMs = performance.now();
  dueMs = Math.max(dueMs, nowMs - SAVED_TURNS * SPACING_MS) + SPACING_MS;
  return Math.max(0, dueMs - nowMs);
}

export interface Failure<T> {
  item: T;
  error: Error;
}

/**
 * Sends a request for each of many items, four at a time.
 * @param onDone called after each item, whether its request succeeded or not
 * @param signal the items whose requests have not begun when it is aborted are left out
 * @returns the items whose requests failed
 */
export async function forEachOf<T>(
  items: readonly T[],
  request: (item: T) => Promise<unknown>,
  { onDone, signal }: { onDone: (item: T, error?: Error) => void; signal: AbortSignal },
): Promise<Failure<T>[]> {
  const failures: Failure<T>[] = [];
  const rest = items.values();
  const work = async () => {
    for (const item of rest) {
      const waitMs = untilNextTurnMs();
      if (waitMs > 0) await pause(waitMs);
      if (signal.aborted) return;
      try {
        await request(item);
        onDone(item);
      } catch (thrown) {
        if (thrown === signal.reason) return;
        const error = thrown instanceof Error ? thrown : new Error(String(thrown));
        failures.push({ item, error });
        onDone(item, error);
      }
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, work));
  return failures;
}

const TRIES = 5;
const RETRY_MS = 1000;

/**
 * Repeats a request whose failure passes: it waits for the backend, for a new session and for the rate limit as long as needed,
 * and repeats other failures that pass a few times.
 * @param longestWaitMs a service that asks for a longer wait has failed
 * @throws the failure that does not pass, or the reason of `signal` when that is aborted during a wait
 */
export async function patiently<T>(
  request: () => Promise<T>,
  { longestWaitMs = Infinity, signal }: { longestWaitMs?: number; signal?: AbortSignal } = {},
): Promise<T> {
  for (let tries = 1; ;) {
    try {
      return await request();
    } catch (error) {
      const status = error instanceof ApiProblem ? error.status : undefined;
      const waitMs = (error instanceof ApiProblem ? error.retryAfterMs : undefined) ?? RETRY_MS * tries;
      if (error instanceof BackendAway || status === 401) {
        await connection.usable(signal);
      } else if (status === 429 || (isPassing(error) && tries < TRIES && waitMs <= longestWaitMs)) {
        await pause(waitMs);
        signal?.throwIfAborted();
        if (status !== 429) tries += 1;
      } else {
        throw error;
      }
    }
  }
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

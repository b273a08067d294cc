import { ApiProblem, BackendAway, isPassing } from './client.ts';
import { connection } from './connection.ts';

export interface Failure<T> {
  item: T;
  error: Error;
}

/**
 * Sends a request for each batch of many items, one after the other. After a request that failed as a whole no other one is
 * sent.
 * @param request resolves to the error of each item, in their order; undefined for an item that it was done for
 * @param onDone called after each batch
 * @param signal the batches whose requests have not begun when it is aborted are left out
 * @returns the items that failed
 */
export async function inBatches<T>(
  items: readonly T[],
  size: number,
  request: (batch: readonly T[]) => Promise<readonly (Error | undefined)[]>,
  { onDone, signal }: { onDone: (batch: readonly T[], failures: readonly Failure<T>[]) => void; signal: AbortSignal },
): Promise<Failure<T>[]> {
  const all: Failure<T>[] = [];
  for (let at = 0; at < items.length && !signal.aborted; at += size) {
    const batch = items.slice(at, at + size);
    try {
      const errors = await request(batch);
      const failures = batch.flatMap((item, i) => (errors[i] === undefined ? [] : [{ item, error: errors[i] }]));
      all.push(...failures);
      onDone(batch, failures);
    } catch (thrown) {
      if (thrown === signal.reason) return all;
      const error = thrown instanceof Error ? thrown : new Error(String(thrown));
      const rest = items.slice(at).map((item) => ({ item, error }));
      onDone(items.slice(at), rest);
      return [...all, ...rest];
    }
  }
  return all;
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

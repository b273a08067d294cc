/**
 * Results that are found in a long text. Undefined is no result: it is yielded after a bounded amount of work without
 * one, so that the caller can let the event loop answer other requests.
 */
export type Paced<T> = Iterable<T | undefined>;

/** Lines, tokens or blocks, each of which is read in less than a microsecond. */
export const PAUSE_STEPS = 1000;
/** Characters that are only compared. */
export const PAUSE_CHARS = 100_000;

/** The results without the pauses: for a text of bounded length. */
export function* unpaced<T>(results: Paced<T>): Generator<T> {
  for (const result of results) if (result !== undefined) yield result;
}

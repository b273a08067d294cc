import type { IDefaultPolicyContext } from 'cockatiel';
import type { Attempt } from './attempt.js';

/** What every policy here gives to the function it runs. */
export interface AttemptContext extends IDefaultPolicyContext {
  signal: Attempt;
}

export type Work<T> = (context: AttemptContext) => PromiseLike<T> | T;

/** Starts the work. What it throws at once becomes a rejection, like what it throws later. */
export function start<T>(work: Work<T>, attempt: Attempt): Promise<T> {
  try {
    return Promise.resolve(work({ signal: attempt }));
  } catch (error) {
    // The work's own error is passed on as it is, whatever its type.
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors
    return Promise.reject(error);
  }
}

interface Ends {
  /** A streamed answer has begun: the work has returned, its attempt has not ended. */
  answered?(): void;
  /** The attempt has ended; `undefined`: well. */
  ended(error: unknown): void;
}

/**
 * Follows an attempt to its end. Every policy listens on the same promise and passes it on, so that all of them hear of an
 * end within one turn of the microtask queue, innermost first.
 */
export function follow(running: Promise<unknown>, attempt: Attempt, ends: Ends): void {
  running.then(
    () => {
      if (attempt.stream === undefined) return ends.ended(undefined);
      attempt.onStreamEnd((error) => ends.ended(error));
      ends.answered?.();
    },
    (error: unknown) => ends.ended(error),
  );
}

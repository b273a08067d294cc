/** Failures of one account or address. Times are milliseconds since 1970. */
export interface Failures {
  failures: number;
  blockedUntil: number;
  /** When they are deleted. */
  forgetAt: number;
}

/** A hashed name whose failures are counted; `after` gives what is stored after the next failure. */
export interface Counted {
  key: string;
  after: (failures: number) => Failures;
}

export abstract class GuessStore {
  /**
   * Counts one failure for each of these names, unless one of them is blocked at `nowMs`.
   * @returns until when one of them is blocked; 0 where the failures were counted
   */
  abstract count(names: readonly Counted[], nowMs: number): Promise<number>;
  /** Takes back one failure; with `free` or fewer left, the name is not blocked. */
  abstract giveBack(key: string, free: number): Promise<void>;
  abstract forget(key: string): Promise<void>;
  abstract has(key: string): Promise<boolean>;
  /** Stores a name without failures. */
  abstract add(key: string, forgetAt: number): Promise<void>;
}

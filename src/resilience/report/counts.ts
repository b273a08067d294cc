import type { Attempt } from '../policy/attempt.js';
import type { AttemptObserver, Refuser } from '../policy/attempt-observer.js';

/** Counts of attempts and refusals since the process started. */
export class Counts implements AttemptObserver {
  calls = 0;
  attempts = 0;
  retries = 0;
  readonly refusedBy: Record<Refuser, number> = { breaker: 0, bulkhead: 0, retry_budget: 0 };

  called(): void {
    this.calls++;
  }

  began(): void {
    this.attempts++;
  }

  retrying(): void {
    this.retries++;
  }

  refused(_attempt: Attempt, by: Refuser): void {
    this.refusedBy[by]++;
  }

  /** Attempts on the wire for each call. */
  get amplification(): number {
    return this.calls === 0 ? 0 : this.attempts / this.calls;
  }
}

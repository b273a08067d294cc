import type { Transition } from '../policy/circuit-breaker.js';

/** How one attempt ended. */
export interface OutcomeRecord {
  /** Milliseconds since 1970. */
  at: number;
  /** `success`, or the reason of the failure. */
  outcome: string;
  durationMs: number;
  requestId: string;
}

/** A change of the breaker's state with the attempts that led to it, oldest first. */
export interface Decision extends Transition {
  outcomes: readonly OutcomeRecord[];
}

const OUTCOMES = 32;
const DECISIONS = 50;

/** What an operator asks at night: the last decisions of a breaker, and why. */
export class History {
  private readonly recent: OutcomeRecord[] = [];
  private next = 0;
  private readonly decided: Decision[] = [];

  record(at: number, outcome: string, durationMs: number, requestId: string): void {
    const slot = this.recent[this.next];
    if (slot === undefined) this.recent.push({ at, outcome, durationMs, requestId });
    else {
      slot.at = at;
      slot.outcome = outcome;
      slot.durationMs = durationMs;
      slot.requestId = requestId;
    }
    this.next = (this.next + 1) % OUTCOMES;
  }

  decide(transition: Transition): void {
    this.decided.push({ ...transition, outcomes: this.outcomes() });
    if (this.decided.length > DECISIONS) this.decided.shift();
  }

  /** Newest first. */
  decisions(): Decision[] {
    return this.decided.toReversed();
  }

  /** Oldest first. */
  outcomes(): OutcomeRecord[] {
    return [...this.recent.slice(this.next), ...this.recent.slice(0, this.next)].map((record) => ({ ...record }));
  }
}

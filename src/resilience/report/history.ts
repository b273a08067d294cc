import type { DownstreamReason } from '../../contract/downstream-reason.js';
import type { Attempt } from '../policy/attempt.js';
import type { AttemptObserver, AttemptOutcome } from '../policy/attempt-observer.js';
import type { Transition } from '../policy/circuit-breaker.js';

import type { Clock } from '../policy/clock.js';
import { DownstreamError } from '../policy/downstream-error.js';
import { outcomeOf } from '../policy/outcome.js';

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

/** The last attempts and the last decisions of a breaker, with the attempts that led to each. */
export class History implements AttemptObserver {
  private readonly recent: OutcomeRecord[] = [];
  private next = 0;
  private readonly decided: Decision[] = [];
  /** The last failure that the breaker counted. `at`: milliseconds since 1970. */
  lastFailure: { at: number; reason: DownstreamReason } | undefined;

  constructor(private readonly clock: Clock) {}

  ended({ call }: Attempt, outcome: AttemptOutcome, durationMs: number, error: unknown): void {
    const at = this.clock.wallMs();
    if (error instanceof DownstreamError && outcomeOf(error) === 'failure')
      this.lastFailure = { at, reason: error.reason };
    this.record(at, outcome, durationMs, call.context.requestId);
  }

  stateChanged(transition: Transition): void {
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

  /** Reuses the oldest record, so that an attempt allocates nothing. */
  private record(at: number, outcome: string, durationMs: number, requestId: string): void {
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
}

import type { Attempt } from '../policy/attempt.js';
import type { AttemptObserver, AttemptOutcome } from '../policy/attempt-observer.js';
import type { Clock } from '../policy/clock.js';
import { outcomeOf } from '../policy/outcome.js';

/** The attempts of one minute. */
export interface Minute {
  /** The minute's first millisecond, since 1970. */
  at: number;
  attempts: number;
  /** Those that the breaker counted. */
  failures: number;
  slowestMs: number;
}

const MINUTE_MS = 60_000;
const KEPT = 60;

/** The attempts of the last hour, counted by the minute. Minutes without an attempt are left out. */
export class Minutes implements AttemptObserver {
  private readonly slots: (Minute | undefined)[] = Array.from({ length: KEPT }, () => undefined);

  constructor(private readonly clock: Pick<Clock, 'wallMs'>) {}

  ended(_attempt: Attempt, _outcome: AttemptOutcome, durationMs: number, error: unknown): void {
    const minute = Math.floor(this.clock.wallMs() / MINUTE_MS);
    const at = minute * MINUTE_MS;
    let slot = this.slots[minute % KEPT];
    if (slot?.at !== at) this.slots[minute % KEPT] = slot = { at, attempts: 0, failures: 0, slowestMs: 0 };
    slot.attempts += 1;
    if (outcomeOf(error) === 'failure') slot.failures += 1;
    if (durationMs > slot.slowestMs) slot.slowestMs = durationMs;
  }

  /** Oldest first. */
  lastHour(): Minute[] {
    const nowMs = this.clock.wallMs();
    const first = (Math.floor(nowMs / MINUTE_MS) - KEPT + 1) * MINUTE_MS;
    return this.slots
      .filter((slot): slot is Minute => slot !== undefined && slot.at >= first && slot.at <= nowMs)
      .map((slot) => ({ ...slot }))
      .sort((a, b) => a.at - b.at);
  }
}

import type { Outcome } from '../policy/circuit-breaker.js';

/** What went to a service within one minute. */
export interface Minute {
  /** The minute's first millisecond, since 1970. */
  at: number;
  attempts: number;
  failures: number;
  slowestMs: number;
}

const MINUTE_MS = 60_000;
const KEPT = 60;

/** The attempts of the last hour, counted by the minute. Minutes without an attempt are left out. */
export class Minutes {
  private readonly slots: (Minute | undefined)[] = Array.from({ length: KEPT }, () => undefined);

  record(atMs: number, outcome: Outcome, durationMs: number): void {
    const minute = Math.floor(atMs / MINUTE_MS);
    const at = minute * MINUTE_MS;
    let slot = this.slots[minute % KEPT];
    if (slot?.at !== at) this.slots[minute % KEPT] = slot = { at, attempts: 0, failures: 0, slowestMs: 0 };
    slot.attempts += 1;
    if (outcome === 'failure') slot.failures += 1;
    if (durationMs > slot.slowestMs) slot.slowestMs = durationMs;
  }

  /** Oldest first. */
  until(nowMs: number): Minute[] {
    const first = (Math.floor(nowMs / MINUTE_MS) - KEPT + 1) * MINUTE_MS;
    return this.slots
      .filter((slot) => slot !== undefined && slot.at >= first && slot.at <= nowMs)
      .map((slot) => ({ ...(slot as Minute) }))
      .sort((a, b) => a.at - b.at);
  }
}

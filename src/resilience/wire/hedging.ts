const SAMPLES = 200;
/** With fewer samples the percentile is too uncertain. */
const MIN_SAMPLES = 20;
const PERCENTILE = 0.95;
/**
 * No read is hedged sooner. With endpoints that answer in a millisecond the percentile is mostly noise, and hedges after it
 * would use up the share that is meant for an endpoint that has become slow.
 */
const MIN_DELAY_MS = 20;
/** Hedges that may follow each other at once after a time without any. */
const MAX_SAVED = 10;

/**
 * When a read that has no answer yet is sent to a second endpoint: after the 95th percentile of the last answers' times, 20 ms
 * at least, and for at most `share` of the reads (Dean and Barroso, "The Tail at Scale", 2013).
 */
export class Hedging {
  private readonly times: number[] = [];
  private next = 0;
  private saved = 0;
  private delay: number | undefined;

  constructor(private readonly share: number) {}

  /** A read begins. @returns after how many milliseconds it may be hedged; undefined: not at all */
  begin(): number | undefined {
    this.saved = Math.min(MAX_SAVED, this.saved + this.share);
    return this.saved < 1 ? undefined : this.delay;
  }

  /** Whether a second request may be sent now. */
  take(): boolean {
    if (this.saved < 1) return false;
    this.saved--;
    return true;
  }

  answered(afterMs: number): void {
    this.times[this.next % SAMPLES] = afterMs;
    this.next++;
    if (this.next < MIN_SAMPLES || this.next % MIN_SAMPLES !== 0) return;
    const sorted = [...this.times].sort((a, b) => a - b);
    this.delay = Math.max(MIN_DELAY_MS, sorted[Math.floor(sorted.length * PERCENTILE)] ?? 0);
  }
}

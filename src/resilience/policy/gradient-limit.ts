/** Newer samples replace the long-term average within about this many. */
const LONG_SAMPLES = 600;
/** How much slower than the long-term average a call may be before the limit falls. */
const TOLERANCE = 1.5;
const SMOOTHING = 0.2;
/** Calls that may wait at the service without counting as overload. */
const QUEUE = 4;
const MIN_LIMIT = 4;

/**
 * A limit of concurrent calls that follows their latency: it falls while calls are slower than usual and rises while they
 * are not. The formula is that of `Gradient2Limit` in Netflix's concurrency-limits:
 * limit ← limit · gradient + queue, gradient = max(½, min(1, 1.5 · long-term average ÷ latency)).
 */
export class GradientLimit {
  private limit: number;
  private longMs: number | undefined;

  constructor(private max: number) {
    this.limit = max;
  }

  get current(): number {
    return Math.floor(this.limit);
  }

  /** The limit never exceeds `max`. */
  reconfigure(max: number): void {
    this.max = max;
    this.limit = Math.min(this.limit, max);
  }

  /** @param active the number of calls when this one ended, itself included */
  ended(latencyMs: number, active: number): void {
    const shortMs = Math.max(latencyMs, 0.1);
    this.longMs = this.longMs === undefined ? shortMs : this.longMs + (shortMs - this.longMs) / LONG_SAMPLES;
    // After an overload the average comes down faster than its samples would bring it.
    if (this.longMs > 2 * shortMs) this.longMs *= 0.95;
    // With little load the latency says nothing about the limit.
    if (active < this.limit / 2) return;
    const gradient = Math.max(0.5, Math.min(1, (TOLERANCE * this.longMs) / shortMs));
    const next = this.limit * (1 - SMOOTHING) + (this.limit * gradient + QUEUE) * SMOOTHING;
    this.limit = Math.max(Math.min(MIN_LIMIT, this.max), Math.min(this.max, next));
  }
}

import type { DownstreamSettings } from '../../config/config.schema.js';
import type { Clock } from './clock.js';

/**
 * A token bucket that keeps retries a small share of the calls, so that an outage is not answered with a storm. Every
 * call puts in `ratio`, a retry takes 1; gRPC's numbers (10 tokens, 0.1 a call; proposal A6). The trickle by time is
 * Finagle's idea: after an outage a service that is seldom called gets its retries back too.
 */
export class RetryBudget {
  private tokens: number;
  private filledAtMs: number;

  constructor(
    private settings: DownstreamSettings['retry_budget'],
    private readonly clock: Clock,
  ) {
    this.tokens = settings.reserve;
    this.filledAtMs = clock.now();
  }

  reconfigure(settings: DownstreamSettings['retry_budget']): void {
    this.settings = settings;
    this.tokens = Math.min(this.tokens, settings.reserve);
  }

  deposit(): void {
    const { reserve, ratio } = this.settings;
    if (this.tokens < reserve) this.tokens = Math.min(reserve, this.tokens + ratio);
  }

  /** Takes the token of one retry; false: there is none. */
  withdraw(): boolean {
    if (this.available < 1) return false;
    this.tokens -= 1;
    return true;
  }

  get available(): number {
    const now = this.clock.now();
    const { reserve, refill_per_s } = this.settings;
    this.tokens = Math.min(reserve, this.tokens + ((now - this.filledAtMs) / 1000) * refill_per_s);
    this.filledAtMs = now;
    return this.tokens;
  }
}

import { ConsecutiveBreaker, type IBreaker } from 'cockatiel';
import type { DownstreamSettings } from '../../config/config.schema.js';
import type { Clock } from './clock.js';

/** When a closed breaker opens: cockatiel's strategy, which can also say where it stands. */
export interface BreakerStrategy extends IBreaker {
  readonly failures: number;
  /** What was reached against what opens, for instance `5/5`. */
  describe(): string;
}

type Settings = Pick<DownstreamSettings, 'failure_threshold' | 'breaker'>;

export function breakerStrategy({ failure_threshold, breaker }: Settings, clock: Clock): BreakerStrategy {
  return breaker.kind === 'consecutive' ? new ConsecutiveFailures(failure_threshold) : new FailureRate(breaker, clock);
}

/** Opens after so many failures in a row. */
class ConsecutiveFailures extends ConsecutiveBreaker implements BreakerStrategy {
  constructor(private readonly opensAt: number) {
    super(opensAt);
  }

  get failures(): number {
    return this.state;
  }

  describe(): string {
    return `${this.state}/${this.opensAt}`;
  }
}

interface Slot {
  /** Which stretch of time the counts are from. */
  epoch: number;
  successes: number;
  failures: number;
}

const SLOTS = 10;

/**
 * Opens when the share of failures among the calls of the last `window_ms` reaches `failure_rate`. Each slot records the
 * time that it counts for, so that slots older than the window are ignored, also after a long time without calls.
 */
export class FailureRate implements BreakerStrategy {
  private readonly slots: Slot[] = Array.from({ length: SLOTS }, () => ({ epoch: -1, successes: 0, failures: 0 }));

  constructor(
    private readonly settings: Pick<DownstreamSettings['breaker'], 'window_ms' | 'min_calls' | 'failure_rate'>,
    private readonly clock: Clock,
  ) {}

  get state(): { successes: number; failures: number } {
    const oldest = this.epoch() - SLOTS + 1;
    let successes = 0;
    let failures = 0;
    for (const slot of this.slots) {
      if (slot.epoch < oldest) continue;
      successes += slot.successes;
      failures += slot.failures;
    }
    return { successes, failures };
  }

  set state({ successes, failures }: { successes: number; failures: number }) {
    const slot = this.slot();
    slot.successes += successes;
    slot.failures += failures;
  }

  get failures(): number {
    return this.state.failures;
  }

  success(): void {
    this.slot().successes++;
  }

  failure(): boolean {
    this.slot().failures++;
    const { successes, failures } = this.state;
    const calls = successes + failures;
    return calls >= this.settings.min_calls && failures / calls >= this.settings.failure_rate;
  }

  describe(): string {
    const { successes, failures } = this.state;
    return `${failures} of ${successes + failures} calls/${this.settings.failure_rate * 100}%`;
  }

  private epoch(): number {
    return Math.floor((this.clock.now() * SLOTS) / this.settings.window_ms);
  }

  private slot(): Slot {
    const epoch = this.epoch();
    const slot = this.slots[epoch % SLOTS] as Slot;
    if (slot.epoch !== epoch) {
      slot.epoch = epoch;
      slot.successes = 0;
      slot.failures = 0;
    }
    return slot;
  }
}

import { CircuitState } from 'cockatiel';
import type { DownstreamSettings } from '../../config/config.schema.js';
import { breakerStrategy, type BreakerStrategy } from './breaker-strategy.js';
import type { Clock } from './clock.js';
import { Ramp } from './ramp.js';

export type BreakerState = 'closed' | 'open' | 'half_open';

/** The result of an attempt for the breaker; `neutral`: it does not count. */
export type Outcome = 'success' | 'failure' | 'neutral';

/** What the breaker remembers of an attempt that it let through. */
export interface Ticket {
  generation: number;
  ramp: Ramp | undefined;
  /** The caller whose input a failure may be put down to; undefined: the service itself has failed. */
  suspect?: string | undefined;
}

/** Follows what a closed breaker counts, and can keep it closed at its threshold. */
export interface OpeningGuard {
  add(suspect: string | undefined): void;
  /** Discards all that was counted so far. */
  forget(): void;
  /** @returns whether the breaker stays closed; `open` may be called later */
  spares(open: () => void): boolean;
}

export interface Transition {
  from: BreakerState;
  to: BreakerState;
  /** The reason, for people. */
  why: string;
  /** Milliseconds since 1970. */
  at: number;
}

/**
 * What another process has found about the service: `failing`: its breaker opened, and this one is to probe `delayMs`
 * after it; `probing`: its probe ends within `forMs`; `recovered`: its probe succeeded.
 */
export type Advice = { says: 'failing'; delayMs: number } | { says: 'probing'; forMs: number } | { says: 'recovered' };

/** Each state carries only its own data. */
type State =
  /** Until `doubtedUntilMs` one failure opens the breaker. */
  | { name: 'closed'; strategy: BreakerStrategy; ramp: Ramp | undefined; doubtedUntilMs: number }
  /** `probeByMs`: no advice delays the probe further. */
  | { name: 'open'; failures: number; probeAtMs: number; probeByMs: number }
  | { name: 'half_open'; failures: number; probing: boolean };

export type BreakerSettings = Pick<
  DownstreamSettings,
  'failure_threshold' | 'recovery_timeout_ms' | 'breaker' | 'bulkhead'
>;

/** The retry time for a call that is refused while a probe runs or the service is isolated. */
const COME_BACK_MS = 1000;
/** For how many recovery times advice may delay a probe: the others may fail for reasons of their own. */
const MOST_DELAYS = 3;

/**
 * The state machine of one service. An attempt asks for a `refusal`, begins with `enter`, and ends with `report`.
 * Every state has a generation: the result of an attempt that began under an earlier one is ignored.
 */
export class CircuitBreaker {
  private state: State;
  private generation = 1;
  private readonly isolations = new Map<symbol, string>();
  changedAt: number;

  constructor(
    private settings: BreakerSettings,
    private readonly clock: Clock,
    private readonly onTransition: (transition: Transition) => void,
    private readonly guard?: OpeningGuard,
  ) {
    this.state = { name: 'closed', strategy: breakerStrategy(settings, clock), ramp: undefined, doubtedUntilMs: 0 };
    this.changedAt = clock.wallMs();
  }

  /** The state for status and metrics: an isolated service is `open`. */
  get name(): BreakerState {
    return this.isolations.size > 0 ? 'open' : this.state.name;
  }

  get failures(): number {
    return this.state.name === 'closed' ? this.state.strategy.failures : this.state.failures;
  }

  /** The operators who have isolated the service. */
  get isolatedBy(): string[] {
    return [...this.isolations.values()];
  }

  /** Applies new settings; the counts and the time of opening stay. */
  reconfigure(settings: BreakerSettings): void {
    const before = this.settings;
    this.settings = settings;
    const { state } = this;
    if (state.name === 'open') {
      const moreMs = settings.recovery_timeout_ms - before.recovery_timeout_ms;
      state.probeAtMs += moreMs;
      state.probeByMs += moreMs;
    }
    if (state.name !== 'closed') return;
    const { strategy } = state;
    state.strategy = breakerStrategy(settings, this.clock);
    if (settings.breaker.kind === before.breaker.kind) state.strategy.state = strategy.state;
  }

  /** Whether an attempt may begin: `undefined`, or how many milliseconds to wait before asking again. */
  refusal(): number | undefined {
    if (this.isolations.size > 0) return COME_BACK_MS;
    const { state } = this;
    if (state.name === 'closed') return undefined;
    if (state.name === 'half_open') return state.probing ? COME_BACK_MS : undefined;
    const leftMs = state.probeAtMs - this.clock.now();
    return leftMs > 0 ? leftMs : undefined;
  }

  /** False while a service that has just recovered has as many attempts as it may have at this moment. */
  get hasRoom(): boolean {
    return this.state.name !== 'closed' || this.state.ramp === undefined || this.state.ramp.hasRoom;
  }

  /** Lets an attempt in that was not refused; after the recovery time the first one is the probe. */
  enter(ticket: Ticket): void {
    if (this.state.name === 'open') {
      this.become({ name: 'half_open', failures: this.state.failures, probing: true }, 'the recovery time is over');
    } else if (this.state.name === 'half_open') {
      this.state.probing = true;
    } else {
      ticket.ramp = this.state.ramp;
      ticket.ramp?.enter();
    }
    ticket.generation = this.generation;
  }

  /** The attempt is over. */
  report(ticket: Ticket, outcome: Outcome, durationMs: number): void {
    const { ramp } = ticket;
    ticket.ramp = undefined;
    ramp?.leave(outcome === 'success');
    if (ticket.generation !== this.generation) return;
    const { state } = this;
    const heard = outcome === 'success' && this.isSlow(durationMs) ? 'failure' : outcome;
    if (state.name === 'half_open') this.afterProbe(state, heard);
    else if (state.name === 'closed') this.count(state, heard, ticket.suspect);
  }

  /**
   * A streamed answer has begun: that ends a probe, and makes room for the next caller. Its result is still to be reported.
   */
  alive(ticket: Ticket): void {
    const { ramp } = ticket;
    ticket.ramp = undefined;
    ramp?.leave(true);
    if (ticket.generation !== this.generation || this.state.name !== 'half_open') return;
    this.close();
    ticket.generation = this.generation;
  }

  /**
   * Takes advice of another process, which never changes the state: an attempt here decides, by failing while the
   * service is doubted, or as the probe.
   */
  advise(advice: Advice): void {
    const { state } = this;
    const nowMs = this.clock.now();
    if (state.name === 'closed') {
      if (advice.says === 'failing') state.doubtedUntilMs = nowMs + this.settings.recovery_timeout_ms;
      if (advice.says === 'recovered') state.doubtedUntilMs = 0;
    } else if (state.name === 'open') {
      if (advice.says === 'recovered') state.probeAtMs = Math.min(state.probeAtMs, nowMs);
      else {
        const waitMs = advice.says === 'probing' ? advice.forMs : this.settings.recovery_timeout_ms + advice.delayMs;
        state.probeAtMs = Math.min(state.probeByMs, Math.max(state.probeAtMs, nowMs + waitMs));
      }
    }
  }

  /**
   * Isolates the service until the returned function is called; then the previous state returns. The results of
   * attempts are ignored meanwhile, because the operator's work there may cause them.
   */
  isolate(by: string): () => void {
    const key = Symbol(by);
    this.hold(`isolated by ${by}`, () => this.isolations.set(key, by));
    return () => {
      if (this.isolations.has(key)) this.hold(`released by ${by}`, () => this.isolations.delete(key));
    };
  }

  /** Ends every isolation. @returns whether there was one */
  release(by: string): boolean {
    if (this.isolations.size === 0) return false;
    this.hold(`released by ${by}`, () => this.isolations.clear());
    return true;
  }

  private isSlow(durationMs: number): boolean {
    const { breaker } = this.settings;
    return breaker.kind === 'slow_calls' && durationMs >= breaker.slow_call_ms;
  }

  private count(state: State & { name: 'closed' }, outcome: Outcome, suspect: string | undefined): void {
    if (state.ramp?.isOver) state.ramp = undefined;
    if (outcome === 'success') {
      state.strategy.success(CircuitState.Closed);
      state.doubtedUntilMs = 0;
      this.guard?.forget();
    } else if (outcome === 'failure') {
      this.guard?.add(suspect);
      const { strategy } = state;
      const isReached = strategy.failure(CircuitState.Closed);
      if (!isReached && this.clock.now() >= state.doubtedUntilMs) return;
      const why = isReached ? `threshold reached: ${strategy.describe()}` : 'it failed here too, as at another process';
      const open = () => this.open(strategy.failures, why);
      if (this.guard?.spares(open) !== true) open();
    }
  }

  private afterProbe(state: State & { name: 'half_open' }, outcome: Outcome): void {
    state.probing = false;
    if (outcome === 'success') this.close();
    else if (outcome === 'failure') {
      const failures = state.failures + 1;
      const { breaker, failure_threshold } = this.settings;
      // The threshold was reached before, and each failed probe counts on top of it.
      const counted = Math.min(failures, failure_threshold);
      const reached = breaker.kind === 'consecutive' ? `${counted}/${failure_threshold}` : 'the probe failed';
      this.open(failures, `threshold reached: ${reached}`);
    }
  }

  private open(failures: number, why: string): void {
    const { recovery_timeout_ms } = this.settings;
    const probeAtMs = this.clock.now() + recovery_timeout_ms;
    this.become({ name: 'open', failures, probeAtMs, probeByMs: probeAtMs + MOST_DELAYS * recovery_timeout_ms }, why);
  }

  private close(): void {
    const strategy = breakerStrategy(this.settings, this.clock);
    const ramp = new Ramp(this.settings.bulkhead.concurrency);
    this.become({ name: 'closed', strategy, ramp, doubtedUntilMs: 0 }, 'service recovered');
  }

  private become(state: State, why: string): void {
    this.change(why, () => (this.state = state));
  }

  /** Changes who holds the service off. A probe under way is forgotten with all other attempts, so another may begin. */
  private hold(why: string, apply: () => void): void {
    if (this.state.name === 'half_open') this.state.probing = false;
    this.change(why, apply);
  }

  private change(why: string, apply: () => void): void {
    const from = this.name;
    apply();
    this.guard?.forget();
    this.generation++;
    const to = this.name;
    if (from === to) return;
    this.changedAt = this.clock.wallMs();
    this.onTransition({ from, to, why, at: this.changedAt });
  }
}

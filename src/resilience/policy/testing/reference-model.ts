import type { DownstreamSettings } from '../../../config/config.schema.js';
import type { Advice } from '../circuit-breaker.js';

/** How an attempt on the wire may end by itself. */
export type Ending = 'success' | 'fault' | 'rejected' | 'saturated';

export interface ModelCall {
  id: number;
  at: 'wire' | 'queue' | 'pause' | 'done';
  attempt: number;
  of: number;
  deadlineMs: number;
  /** When the wait or the attempt ends of itself. */
  dueMs: number;
  generation: number;
  inRamp: boolean;
  result: string | undefined;
}

/**
 * The rules of the breaker, the advice to it, the bulkhead and the retry once more, as plainly as they can be said: one
 * thing at a time, in lists, with no promise and no timer. The property test holds the real client to it.
 */
export class ReferenceModel {
  now = 0;
  state: 'closed' | 'open' | 'half_open' = 'closed';
  failures = 0;
  isolated = false;
  /** Two things were due at one instant, and no rule says which comes first. */
  ambiguous = false;
  readonly calls: ModelCall[] = [];
  private generation = 1;
  private probeAtMs = 0;
  /** No advice delays the probe further. */
  private probeByMs = 0;
  /** Until then one failure opens the breaker. */
  private doubtedUntilMs = 0;
  private probing = false;
  private ramp: { limit: number; active: number; successes: number } | undefined;
  private tokens: number;

  constructor(private readonly settings: DownstreamSettings) {
    this.tokens = settings.retry_budget.reserve;
  }

  all(at: ModelCall['at']): ModelCall[] {
    return this.calls.filter((call) => call.at === at);
  }

  call(of: number, deadlineMs: number): void {
    const { ratio, reserve } = this.settings.retry_budget;
    this.tokens = Math.min(reserve, this.tokens + ratio);
    const id = this.calls.length;
    const call: ModelCall = {
      id,
      at: 'done',
      attempt: 1,
      of,
      deadlineMs,
      dueMs: 0,
      generation: 0,
      inRamp: false,
      result: undefined,
    };
    this.calls.push(call);
    this.tryAttempt(call);
  }

  end(call: ModelCall, ending: Ending): void {
    this.leaveWire(call, ending);
    this.decide(call, ending === 'success' ? 'ok' : ending);
  }

  abort(call: ModelCall): void {
    if (call.at === 'wire') this.leaveWire(call, 'cancelled');
    this.finish(call, 'cancelled');
  }

  isolate(on: boolean): void {
    if (this.isolated === on) return;
    const before = this.seen;
    this.isolated = on;
    this.generation++;
    this.probing = false;
    if (on && before !== 'open') this.turnAway();
  }

  /** What another process says never changes the state: the next attempt does. */
  advise(advice: Advice): void {
    const { recovery_timeout_ms } = this.settings;
    if (this.state === 'closed' && advice.says === 'failing') this.doubtedUntilMs = this.now + recovery_timeout_ms;
    if (this.state === 'closed' && advice.says === 'recovered') this.doubtedUntilMs = 0;
    if (this.state !== 'open') return;
    if (advice.says === 'recovered') {
      if (this.probeAtMs > this.now) this.probeAtMs = this.now;
      return;
    }
    const laterMs = this.now + (advice.says === 'probing' ? advice.forMs : recovery_timeout_ms + advice.delayMs);
    if (laterMs > this.probeAtMs) this.probeAtMs = laterMs;
    if (this.probeAtMs > this.probeByMs) this.probeAtMs = this.probeByMs;
  }

  get seen(): string {
    return this.isolated ? 'open' : this.state;
  }

  pass(ms: number): void {
    const until = this.now + ms;
    for (;;) {
      const waiting = this.calls.filter(({ at, dueMs }) => at !== 'done' && dueMs <= until);
      if (waiting.length === 0) break;
      this.now = Math.min(...waiting.map(({ dueMs }) => dueMs));
      const due = waiting.filter(({ dueMs }) => dueMs === this.now);
      const pauses = due.filter(({ at }) => at === 'pause');
      if (pauses.length > 0 && pauses.length < due.length) this.ambiguous = true;
      if (pauses.length > 0) {
        const [first] = pauses.sort((a, b) => a.generation - b.generation) as [ModelCall];
        first.attempt++;
        this.tryAttempt(first);
      } else this.expire(due);
    }
    this.now = until;
  }

  private expire(due: ModelCall[]): void {
    const ended = due.map((call) => {
      const reason = call.dueMs === call.deadlineMs ? 'deadline' : 'timeout';
      if (call.at === 'wire') {
        this.leaveWire(call, reason);
        return [call, reason] as const;
      }
      if (call.at === 'queue') this.finish(call, 'deadline');
      return undefined;
    });
    for (const one of ended) if (one !== undefined) this.decide(...one);
  }

  private get refuses(): boolean {
    if (this.isolated) return true;
    if (this.state === 'open') return this.now < this.probeAtMs;
    return this.state === 'half_open' && this.probing;
  }

  private get hasRoom(): boolean {
    const { concurrency } = this.settings.bulkhead;
    if (this.all('wire').length >= concurrency) return false;
    return this.ramp === undefined || this.ramp.limit >= concurrency || this.ramp.active < this.ramp.limit;
  }

  private tryAttempt(call: ModelCall): void {
    if (this.refuses) this.finish(call, 'circuit_open');
    else if (this.now >= call.deadlineMs) this.finish(call, 'deadline');
    else if (this.hasRoom) this.begin(call);
    else if (this.all('queue').length < this.settings.bulkhead.queue) {
      call.at = 'queue';
      call.dueMs = call.deadlineMs;
      call.generation = this.order++;
    } else this.finish(call, 'saturated');
  }
  private order = 0;

  private begin(call: ModelCall): void {
    call.at = 'wire';
    call.dueMs = Math.min(this.now + this.settings.timeout_ms, call.deadlineMs);
    if (this.state !== 'closed') {
      if (this.state === 'open') this.become('half_open');
      this.probing = true;
    }
    call.generation = this.generation;
    call.inRamp = this.ramp !== undefined;
    if (this.ramp !== undefined) this.ramp.active++;
  }

  /** What the end of an attempt says of the service. */
  private leaveWire(call: ModelCall, how: string): void {
    call.at = 'done';
    const succeeded = how === 'success' || how === 'rejected';
    const failed = how === 'fault' || how === 'timeout';
    if (call.inRamp && this.ramp !== undefined && call.generation >= this.rampSince) {
      this.ramp.active--;
      if (succeeded && ++this.ramp.successes >= this.ramp.limit) {
        this.ramp = { limit: this.ramp.limit * 2, active: this.ramp.active, successes: 0 };
      }
    }
    if (call.generation === this.generation) {
      if (this.state === 'half_open') {
        this.probing = false;
        if (succeeded) {
          this.become('closed');
          this.failures = 0;
          this.doubtedUntilMs = 0;
          this.ramp = { limit: 1, active: 0, successes: 0 };
          this.rampSince = this.generation;
        } else if (failed) this.open();
      } else if (this.state === 'closed' && succeeded) {
        this.failures = 0;
        this.doubtedUntilMs = 0;
      } else if (this.state === 'closed' && failed) {
        const isDoubted = this.now < this.doubtedUntilMs;
        if (isDoubted || this.failures + 1 >= this.settings.failure_threshold) this.open();
        else this.failures++;
      }
    }
    this.admit();
  }
  private rampSince = 0;

  private open(): void {
    this.failures++;
    this.probeAtMs = this.now + this.settings.recovery_timeout_ms;
    this.probeByMs = this.probeAtMs + 3 * this.settings.recovery_timeout_ms;
    this.ramp = undefined;
    this.become('open');
    this.turnAway();
  }

  private become(state: ReferenceModel['state']): void {
    this.state = state;
    this.generation++;
  }

  /** An opening circuit ends every wait. */
  private turnAway(): void {
    for (const call of this.calls) {
      if (call.at === 'queue' || call.at === 'pause') this.finish(call, 'circuit_open');
    }
  }

  private admit(): void {
    for (;;) {
      const [next] = this.all('queue').sort((a, b) => a.generation - b.generation);
      if (next === undefined || !this.hasRoom) return;
      if (this.refuses) this.finish(next, 'circuit_open');
      else this.begin(next);
    }
  }

  /** After an attempt: the end, or a wait. */
  private decide(call: ModelCall, result: string): void {
    const mayPass = ['fault', 'timeout', 'saturated'].includes(result);
    const waitMs = this.settings.retry_base_ms * 2 ** (call.attempt - 1);
    const inTime = this.now + waitMs < call.deadlineMs;
    if (!mayPass || call.attempt >= call.of || this.refuses || !inTime || this.tokens < 1) {
      this.finish(call, result);
      return;
    }
    this.tokens--;
    call.at = 'pause';
    call.dueMs = this.now + waitMs;
    call.generation = this.order++;
  }

  private finish(call: ModelCall, result: string): void {
    call.at = 'done';
    call.result = result;
  }
}

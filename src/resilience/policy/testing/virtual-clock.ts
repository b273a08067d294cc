import type { Clock } from '../clock.js';

interface Timer {
  atMs: number;
  run: () => void;
}

/** Enough turns for what one event sets off to come to rest. */
const TURNS = 8;

/** Time that passes only when a test says so. */
export class VirtualClock implements Clock {
  private nowMs = 0;
  /** What the clock on the wall shows besides: it may step back. */
  wallOffsetMs = 1_700_000_000_000;
  private readonly timers = new Set<Timer>();

  now(): number {
    return this.nowMs;
  }

  wallMs(): number {
    return this.wallOffsetMs + this.nowMs;
  }

  after(delayMs: number, run: () => void): () => void {
    const timer = { atMs: this.nowMs + delayMs, run };
    this.timers.add(timer);
    return () => this.timers.delete(timer);
  }

  /** Timers that are set. */
  get pending(): number {
    return this.timers.size;
  }

  /** Lets time pass, stopping at each timer on the way. */
  async pass(ms: number): Promise<void> {
    const untilMs = this.nowMs + ms;
    await settle();
    for (let due = this.due(untilMs); due !== undefined; due = this.due(untilMs)) {
      this.nowMs = Math.max(this.nowMs, due.atMs);
      this.timers.delete(due);
      due.run();
      await settle();
    }
    this.nowMs = untilMs;
  }

  private due(untilMs: number): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.timers) {
      if (timer.atMs <= untilMs && (first === undefined || timer.atMs < first.atMs)) first = timer;
    }
    return first;
  }
}

/** Lets everything that is ready to run, run. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn++) await Promise.resolve();
}

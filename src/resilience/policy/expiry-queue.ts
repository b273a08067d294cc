import type { Clock } from './clock.js';

export interface Expiring {
  /** On the scale of the clock. */
  expiresAtMs: number;
  expire(): void;
}

/**
 * Timeouts of many attempts on one timer. A timer of its own for each attempt costs more than all else a healthy call
 * does here; this one is set again only when something would expire before it fires.
 */
export class ExpiryQueue {
  private readonly waiting = new Set<Expiring>();
  private firesAtMs = Infinity;
  private stopTimer: (() => void) | undefined;

  constructor(private readonly clock: Clock) {}

  /** Adds an item, or takes notice of its new `expiresAtMs`. */
  add(item: Expiring): void {
    this.waiting.add(item);
    if (item.expiresAtMs < this.firesAtMs) this.arm(item.expiresAtMs);
  }

  remove(item: Expiring): void {
    this.waiting.delete(item);
  }

  get size(): number {
    return this.waiting.size;
  }

  private arm(atMs: number): void {
    this.stopTimer?.();
    this.firesAtMs = atMs;
    this.stopTimer = this.clock.after(Math.max(0, atMs - this.clock.now()), this.fire);
  }

  private readonly fire = (): void => {
    const now = this.clock.now();
    const due: Expiring[] = [];
    let earliestMs = Infinity;
    for (const item of this.waiting) {
      if (item.expiresAtMs <= now) due.push(item);
      else if (item.expiresAtMs < earliestMs) earliestMs = item.expiresAtMs;
    }
    this.firesAtMs = Infinity;
    this.stopTimer = undefined;
    if (earliestMs < Infinity) this.arm(earliestMs);
    for (const item of due) {
      if (this.waiting.delete(item)) item.expire();
    }
  };
}

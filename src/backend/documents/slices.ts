import { setImmediate as nextTurn } from 'node:timers/promises';

/** The longest time for which a slice of the work blocks the event loop. */
const SLICE_MS = 10;
/** The steps between two looks at the clock. */
const STEPS = 64;

/** Cuts a long loop into slices, between which other requests are answered. */
export class Slices {
  private begunMs = performance.now();
  private steps = 0;

  /** To be awaited after each step of the loop. */
  async next(): Promise<void> {
    if (++this.steps % STEPS !== 0 || performance.now() - this.begunMs <= SLICE_MS) return;
    await nextTurn();
    this.begunMs = performance.now();
  }
}

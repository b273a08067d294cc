/** Where the client takes its time from, so that a test can own it. */
export interface Clock {
  /** Milliseconds on a scale that never steps back. */
  now(): number;
  /** Milliseconds since 1970: for people to read, never to reckon with. */
  wallMs(): number;
  /** A timer does not keep the process alive. @returns a function that stops it */
  after(delayMs: number, run: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  wallMs: () => Date.now(),
  after(delayMs, run) {
    const timer = setTimeout(run, Math.ceil(delayMs)).unref();
    return () => clearTimeout(timer);
  },
};

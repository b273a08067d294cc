import { Problem } from './problem.js';

/** Lets so many through at a time and so many wait, in their order; whoever comes then is refused at once. */
export class Semaphore {
  private running = 0;
  private readonly queue: (() => void)[] = [];

  constructor(
    private readonly limits: { concurrent: number; waiting: number },
    /** What is being done, as the refused caller reads it. */
    private readonly what: string,
  ) {}

  /** @throws Problem 429 `saturated` */
  async pass<T>(work: () => Promise<T>): Promise<T> {
    if (this.running < this.limits.concurrent) this.running++;
    else if (this.queue.length < this.limits.waiting) await new Promise<void>((resolve) => this.queue.push(resolve));
    else throw this.refusal();
    try {
      return await work();
    } finally {
      // The place goes to who waits longest, and is never free in between.
      const next = this.queue.shift();
      if (next === undefined) this.running--;
      else next();
    }
  }

  private refusal(): Problem {
    const { concurrent, waiting } = this.limits;
    return new Problem({
      status: 429,
      code: 'saturated',
      detail: `${concurrent + waiting} ${this.what} are under way, as many as this server takes; try again in a moment.`,
      retryAfter: 2,
    });
  }
}

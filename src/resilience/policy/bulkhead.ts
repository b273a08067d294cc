import type { DownstreamSettings } from '../../config/config.schema.js';

/**
 * How many attempts may be under way at one service, and a bounded queue before it. Who leaves the queue gives up the
 * place at once.
 */
export class Bulkhead<T> {
  active = 0;
  private readonly queue = new Set<T>();

  constructor(
    private settings: DownstreamSettings['bulkhead'],
    /** A further condition: the breaker brings load back in steps. */
    private readonly mayEnter: () => boolean,
  ) {}

  reconfigure(settings: DownstreamSettings['bulkhead']): void {
    this.settings = settings;
  }

  get hasRoom(): boolean {
    return this.active < this.settings.concurrency && this.mayEnter();
  }

  get queued(): number {
    return this.queue.size;
  }

  enter(): void {
    this.active++;
  }

  leave(): void {
    this.active--;
  }

  /** Takes a place in the queue; false: the queue is full. */
  park(item: T): boolean {
    if (this.queue.size >= this.settings.queue) return false;
    this.queue.add(item);
    return true;
  }

  unpark(item: T): void {
    this.queue.delete(item);
  }

  /** Takes the one who waited longest out of the queue, if there is room. */
  next(): T | undefined {
    if (this.queue.size === 0 || !this.hasRoom) return undefined;
    return this.shift();
  }

  /** Empties the queue. */
  evict(): T[] {
    const all = [...this.queue];
    this.queue.clear();
    return all;
  }

  private shift(): T | undefined {
    for (const item of this.queue) {
      this.queue.delete(item);
      return item;
    }
    return undefined;
  }
}

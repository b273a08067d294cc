import { Problem } from './problem.js';

export interface SemaphoreLimits {
  /** How many tasks run at a time. */
  concurrent: number;
  /** How many of them may be of one user; the rest is reserved for other users. */
  perUser: number;
  /** How many tasks of one user may wait. */
  waiting: number;
  /** How long a task may wait. */
  waitMs: number;
}

interface Waiter {
  begin: () => void;
  refuse: (problem: Problem) => void;
}

/**
 * Limits how many tasks run at a time, in all and for each user. Waiting tasks start round robin over the users, each
 * user's in order of arrival. A task is refused when the queue of its user is full or it has waited too long.
 */
export class Semaphore {
  private running = 0;
  private readonly runningOf = new Map<string, number>();
  /** By user; the first one is next. */
  private readonly queues = new Map<string, Set<Waiter>>();

  constructor(
    private readonly limits: SemaphoreLimits,
    /** The kind of task, for the message of a refusal. */
    private readonly what: string,
  ) {}

  /** @throws Problem 429 `saturated` */
  async pass<T>(userId: string, work: () => Promise<T>): Promise<T> {
    if (!this.hasRoom(userId)) await this.wait(userId);
    else this.enter(userId);
    try {
      return await work();
    } finally {
      this.leave(userId);
    }
  }

  private hasRoom(userId: string): boolean {
    return this.running < this.limits.concurrent && (this.runningOf.get(userId) ?? 0) < this.limits.perUser;
  }

  private wait(userId: string): Promise<void> {
    const queue = this.queues.get(userId) ?? new Set();
    if (queue.size >= this.limits.waiting) throw this.refusal();
    this.queues.set(userId, queue);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => waiter.refuse(this.refusal()), this.limits.waitMs).unref();
      const end = () => {
        clearTimeout(timer);
        queue.delete(waiter);
        if (queue.size === 0) this.queues.delete(userId);
      };
      const waiter: Waiter = {
        begin: () => {
          end();
          this.enter(userId);
          resolve();
        },
        refuse: (problem) => {
          end();
          reject(problem);
        },
      };
      queue.add(waiter);
    });
  }

  private enter(userId: string): void {
    this.running++;
    this.runningOf.set(userId, (this.runningOf.get(userId) ?? 0) + 1);
  }

  private leave(userId: string): void {
    this.running--;
    const left = (this.runningOf.get(userId) ?? 1) - 1;
    if (left === 0) this.runningOf.delete(userId);
    else this.runningOf.set(userId, left);
    for (const [next, queue] of this.queues) {
      if (this.running >= this.limits.concurrent) return;
      if (!this.hasRoom(next)) continue;
      const [waiter] = queue;
      // This user goes to the end of the round.
      this.queues.delete(next);
      this.queues.set(next, queue);
      waiter?.begin();
    }
  }

  private refusal(): Problem {
    const { perUser, waiting } = this.limits;
    return new Problem({
      status: 429,
      code: 'saturated',
      detail: `${this.what}: ${perUser} at a time and ${waiting} waiting are what one user may have here; try again in a moment.`,
      retryAfter: 2,
    });
  }
}

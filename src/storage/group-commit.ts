import type { DatabaseSync } from 'node:sqlite';
import { repeatable, transaction } from './sqlite.js';

/** The most writes of one transaction, so that other requests get their turn between two. */
const MAX_TOGETHER = 64;

interface Write {
  readonly isDurable: boolean;
  readonly work: () => unknown;
  readonly resolve: (value: never) => void;
  readonly reject: (error: unknown) => void;
}
type Outcome<T> = { value: T } | { error: unknown };

/**
 * Runs the writes that arrive in one turn of the event loop in one transaction, because the disk's answer costs the same
 * for one write and for many. A write that fails is undone alone. Where the transaction fails, each write is repeated in
 * a transaction of its own.
 */
export class GroupCommit {
  private waiting: Write[] = [];

  /** @param mark returns a function that undoes what writes change in memory from now on */
  constructor(
    private readonly db: DatabaseSync,
    private readonly mark: () => () => void = () => () => undefined,
  ) {}

  /**
   * Resolves when the write is durable. `work` must be synchronous, and may be called again.
   * @param isDurable false: a power cut may undo the write, as in {@link repeatable}
   */
  run<T>(work: () => T, { isDurable = true } = {}): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.waiting.length === 0) setImmediate(() => this.flush());
      this.waiting.push({ isDurable, work, resolve, reject });
    });
  }

  /** Makes all writes that are waiting. Call it before the database is closed. */
  flush(): void {
    const waiting = this.waiting;
    this.waiting = [];
    for (let at = 0; at < waiting.length; at += MAX_TOGETHER) this.commit(waiting.slice(at, at + MAX_TOGETHER));
  }

  private commit(writes: readonly Write[]): void {
    const [only, ...others] = writes;
    if (only !== undefined && others.length === 0) {
      return settle(
        only,
        this.attempt(() => transactionOf(writes)(this.db, only.work)),
      );
    }
    const made = this.attempt(() => transactionOf(writes)(this.db, () => writes.map(({ work }) => this.within(work))));
    if ('error' in made) for (const write of writes) this.commit([write]);
    else writes.forEach((write, i) => settle(write, made.value[i] as Outcome<unknown>));
  }

  /** One write of a transaction. @throws the error where it has ended the transaction, as a full disk does */
  private within(work: () => unknown): Outcome<unknown> {
    this.db.exec('SAVEPOINT write');
    const outcome = this.attempt(work);
    if ('error' in outcome) {
      if (!this.db.isTransaction) throw outcome.error;
      this.db.exec('ROLLBACK TO write');
    }
    this.db.exec('RELEASE write');
    return outcome;
  }

  private attempt<T>(work: () => T): Outcome<T> {
    const undo = this.mark();
    try {
      return { value: work() };
    } catch (error) {
      undo();
      return { error };
    }
  }
}

const transactionOf = (writes: readonly Write[]) =>
  writes.some(({ isDurable }) => isDurable) ? transaction : repeatable;

function settle({ resolve, reject }: Write, outcome: Outcome<unknown>): void {
  if ('value' in outcome) resolve(outcome.value as never);
  else reject(outcome.error);
}

import type { DatabaseSync } from 'node:sqlite';
import { transaction } from '../../../../storage/sqlite.js';
import { preparedBy } from '../../../../storage/statements.js';
import { type Counted, type Failures, GuessStore } from '../guess-store.js';

export class SqliteGuessStore extends GuessStore {
  private readonly prepared: ReturnType<typeof preparedBy>;

  constructor(private readonly db: DatabaseSync) {
    super();
    this.prepared = preparedBy(db);
  }

  async count(names: readonly Counted[], nowMs: number): Promise<number> {
    return transaction(this.db, () => {
      this.prepared('DELETE FROM guesses WHERE forget_at <= ?').run(nowMs);
      const before = names.map(({ key }) => this.read(key));
      const blockedUntil = Math.max(0, ...before.map((one) => one?.blocked_until ?? 0));
      if (blockedUntil > nowMs) return blockedUntil;
      names.forEach(({ key, after }, index) => this.write(key, after((before[index]?.failures ?? 0) + 1)));
      return 0;
    });
  }

  async giveBack(key: string, free: number): Promise<void> {
    this.prepared(
      `UPDATE guesses SET failures = failures - 1, blocked_until = iif(failures - 1 <= ?, 0, blocked_until)
       WHERE source = ? AND failures > 0`,
    ).run(free, key);
  }

  async forget(key: string): Promise<void> {
    this.prepared('DELETE FROM guesses WHERE source = ?').run(key);
  }

  async has(key: string): Promise<boolean> {
    return this.read(key) !== undefined;
  }

  async add(key: string, forgetAt: number): Promise<void> {
    this.write(key, { failures: 0, blockedUntil: 0, forgetAt });
  }

  private read(key: string): { failures: number; blocked_until: number } | undefined {
    return this.prepared('SELECT failures, blocked_until FROM guesses WHERE source = ?').get(key) as
      { failures: number; blocked_until: number } | undefined;
  }

  private write(key: string, { failures, blockedUntil, forgetAt }: Failures): void {
    this.prepared(
      'INSERT OR REPLACE INTO guesses (source, failures, blocked_until, forget_at) VALUES (?, ?, ?, ?)',
    ).run(...[key, failures, blockedUntil, forgetAt]);
  }
}

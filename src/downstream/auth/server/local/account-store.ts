import type { DatabaseSync } from 'node:sqlite';
import { preparedBy } from '../../../../storage/statements.js';

export interface Account {
  user_id: string;
  email: string;
  password_hash: string;
}

/** The accounts. With `demo` false, demo accounts are treated as absent. */
export class AccountStore {
  private readonly prepared = preparedBy(this.db);

  constructor(
    private readonly db: DatabaseSync,
    private readonly demo: boolean,
  ) {}

  /** False where the address already has an account. */
  add(account: Account & { demo: boolean }): boolean {
    const { changes } = this.prepared(
      `INSERT INTO account (user_id, email, password_hash, demo, created_at) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (email) DO NOTHING`,
    ).run(account.user_id, account.email, account.password_hash, Number(account.demo), new Date().toISOString());
    return changes > 0;
  }

  byEmail(email: string): Account | undefined {
    return this.find('email', email);
  }

  byId(userId: string): Account | undefined {
    return this.find('user_id', userId);
  }

  replaceHash(userId: string, hash: string): void {
    this.prepared('UPDATE account SET password_hash = ? WHERE user_id = ?').run(hash, userId);
  }

  private find(column: 'email' | 'user_id', value: string): Account | undefined {
    return this.prepared(`SELECT user_id, email, password_hash FROM account WHERE ${column} = ? AND demo <= ?`).get(
      value,
      Number(this.demo),
    ) as Account | undefined;
  }
}

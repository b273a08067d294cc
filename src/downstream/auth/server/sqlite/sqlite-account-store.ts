import type { DatabaseSync } from 'node:sqlite';
import { scrubSoon } from '../../../../storage/scrub.js';
import { transaction } from '../../../../storage/sqlite.js';
import { preparedBy } from '../../../../storage/statements.js';
import { type Account, AccountStore } from '../local/account-store.js';

export class SqliteAccountStore extends AccountStore {
  private readonly prepared: ReturnType<typeof preparedBy>;

  constructor(
    private readonly db: DatabaseSync,
    private readonly demo: boolean,
  ) {
    super();
    this.prepared = preparedBy(db);
  }

  async add(account: Account & { demo: boolean }): Promise<boolean> {
    return this.insert(account);
  }

  async addInvited(account: Account, invitation: string): Promise<'added' | 'taken' | 'refused'> {
    const now = new Date().toISOString();
    return transaction(this.db, () => {
      if (!this.insert({ ...account, demo: false })) return 'taken';
      const { changes } = this.prepared(
        'UPDATE invitation SET used_at = ?1, used_by = ?2 WHERE digest = ?3 AND used_at IS NULL AND expires_at > ?1',
      ).run(now, account.user_id, invitation);
      if (changes > 0) return 'added';
      this.prepared('DELETE FROM account WHERE user_id = ?').run(account.user_id);
      return 'refused';
    });
  }

  private insert(account: Account & { demo: boolean }): boolean {
    const { changes } = this.prepared(
      `INSERT INTO account (user_id, email, password_hash, demo, created_at) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (email) DO NOTHING`,
    ).run(account.user_id, account.email, account.password_hash, Number(account.demo), new Date().toISOString());
    return changes > 0;
  }

  async byEmail(email: string): Promise<Account | undefined> {
    return this.find('email', email);
  }

  async byId(userId: string): Promise<Account | undefined> {
    return this.find('user_id', userId);
  }

  async all(): Promise<Account[]> {
    const sql = 'SELECT user_id, email, password_hash FROM account WHERE demo = 0 ORDER BY created_at, user_id';
    return this.prepared(sql).all() as unknown as Account[];
  }

  async remove(userId: string): Promise<void> {
    this.prepared('DELETE FROM account WHERE user_id = ?').run(userId);
    scrubSoon(this.db);
  }

  async replaceHash(userId: string, hash: string): Promise<void> {
    this.prepared('UPDATE account SET password_hash = ? WHERE user_id = ?').run(hash, userId);
  }

  private find(column: 'email' | 'user_id', value: string): Account | undefined {
    return this.prepared(`SELECT user_id, email, password_hash FROM account WHERE ${column} = ? AND demo <= ?`).get(
      value,
      Number(this.demo),
    ) as Account | undefined;
  }
}

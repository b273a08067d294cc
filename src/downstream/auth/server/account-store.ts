import type { DatabaseSync } from 'node:sqlite';

export interface Account {
  user_id: string;
  email: string;
  password_hash: string;
}

/** Accounts and the tokens that were revoked before their time. With `demo` false, a demo account is as good as none. */
export class AccountStore {
  constructor(
    private readonly db: DatabaseSync,
    private readonly demo: boolean,
  ) {}

  /** False where the address has an account already. */
  add(account: Account & { demo: boolean }): boolean {
    const { changes } = this.db
      .prepare(
        `INSERT INTO account (user_id, email, password_hash, demo, created_at) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (email) DO NOTHING`,
      )
      .run(account.user_id, account.email, account.password_hash, Number(account.demo), new Date().toISOString());
    return changes > 0;
  }

  byEmail(email: string): Account | undefined {
    return this.find('email', email);
  }

  byId(userId: string): Account | undefined {
    return this.find('user_id', userId);
  }

  replaceHash(userId: string, hash: string): void {
    this.db.prepare('UPDATE account SET password_hash = ? WHERE user_id = ?').run(hash, userId);
  }

  /** Kept until the token would have expired. Both times are milliseconds since 1970. */
  revoke(tokenId: string, expiresAt: number, now: number): void {
    this.db.prepare('DELETE FROM revocation WHERE expires_at <= ?').run(now);
    this.db
      .prepare('INSERT INTO revocation (token_id, expires_at) VALUES (?, ?) ON CONFLICT (token_id) DO NOTHING')
      .run(tokenId, expiresAt);
  }

  isRevoked(tokenId: string): boolean {
    return this.db.prepare('SELECT 1 FROM revocation WHERE token_id = ?').get(tokenId) !== undefined;
  }

  private find(column: 'email' | 'user_id', value: string): Account | undefined {
    return this.db
      .prepare(`SELECT user_id, email, password_hash FROM account WHERE ${column} = ? AND demo <= ?`)
      .get(value, Number(this.demo)) as Account | undefined;
  }
}

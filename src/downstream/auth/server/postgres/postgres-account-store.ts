import type { Postgres, Session } from '../../../../storage/postgres/postgres.js';
import { type Account, AccountStore } from '../local/account-store.js';

export class PostgresAccountStore extends AccountStore {
  constructor(
    private readonly db: Postgres,
    private readonly demo: boolean,
  ) {
    super();
  }

  async add(account: Account & { demo: boolean }): Promise<boolean> {
    return (await this.db.write(...insertion(account))).rowCount === 1;
  }

  addInvited(account: Account, invitation: string): Promise<'added' | 'taken' | 'refused'> {
    const now = new Date().toISOString();
    return this.db.transaction(async (session: Session) => {
      if ((await session.query(...insertion({ ...account, demo: false }))).rowCount !== 1) return 'taken';
      const { rowCount } = await session.query(
        'UPDATE invitation SET used_at = $1, used_by = $2 WHERE digest = $3 AND used_at IS NULL AND expires_at > $1',
        [now, account.user_id, invitation],
      );
      if (rowCount === 1) return 'added';
      await session.query('DELETE FROM account WHERE user_id = $1', [account.user_id]);
      return 'refused';
    });
  }

  byEmail(email: string): Promise<Account | undefined> {
    return this.find('email', email);
  }

  byId(userId: string): Promise<Account | undefined> {
    return this.find('user_id', userId);
  }

  async all(): Promise<Account[]> {
    const sql = 'SELECT user_id, email, password_hash FROM account WHERE NOT demo ORDER BY created_at, user_id';
    return (await this.db.read<Account & Record<string, unknown>>(sql, [])).rows;
  }

  async remove(userId: string): Promise<void> {
    await this.db.write('DELETE FROM account WHERE user_id = $1', [userId], { isIdempotent: true });
  }

  async replaceHash(userId: string, hash: string): Promise<void> {
    const sql = 'UPDATE account SET password_hash = $2 WHERE user_id = $1';
    await this.db.write(sql, [userId, hash], { isIdempotent: true });
  }

  private async find(column: 'email' | 'user_id', value: string): Promise<Account | undefined> {
    // PostgreSQL takes no such text; no account has it.
    if (value.includes('\0')) return undefined;
    const { rows } = await this.db.read<Account & Record<string, unknown>>(
      `SELECT user_id, email, password_hash FROM account WHERE ${column} = $1 AND (NOT demo OR $2)`,
      [value, this.demo],
    );
    return rows[0];
  }
}

function insertion({ user_id, email, password_hash, demo }: Account & { demo: boolean }): [string, unknown[]] {
  const sql = `INSERT INTO account (user_id, email, password_hash, demo, created_at) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (email) DO NOTHING`;
  return [sql, [user_id, email, password_hash, demo, new Date().toISOString()]];
}

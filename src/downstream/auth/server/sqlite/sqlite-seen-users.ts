import type { DatabaseSync } from 'node:sqlite';
import { scrubSoon } from '../../../../storage/scrub.js';
import { preparedBy } from '../../../../storage/statements.js';
import type { User } from '../../auth.contract.js';
import { SeenUsers } from '../providers/seen-users.js';

export const SEEN_USER_TABLES = `
  CREATE TABLE seen_user (
    user_id TEXT PRIMARY KEY,
    email TEXT NOT NULL,
    operator INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;`;

/** A user of an external provider may sign in again after the account was deleted here. */
export const ENDED_USER_TABLES = `
  CREATE TABLE ended_user (
    user_id TEXT PRIMARY KEY,
    ended_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;`;

export class SqliteSeenUsers extends SeenUsers {
  private readonly prepared: ReturnType<typeof preparedBy>;

  constructor(private readonly db: DatabaseSync) {
    super();
    this.prepared = preparedBy(db);
  }

  async remember({ user_id, email, operator }: User): Promise<void> {
    const known = await this.byId(user_id);
    if (known?.email === email && known.operator === operator) return;
    this.prepared('INSERT OR REPLACE INTO seen_user (user_id, email, operator) VALUES (?, ?, ?)').run(
      user_id,
      email,
      Number(operator),
    );
  }

  async forget(userId: string, endedAtMs: number): Promise<void> {
    this.prepared('DELETE FROM seen_user WHERE user_id = ?').run(userId);
    this.prepared(
      `INSERT INTO ended_user (user_id, ended_at) VALUES (?, ?)
       ON CONFLICT (user_id) DO UPDATE SET ended_at = max(ended_at, excluded.ended_at)`,
    ).run(userId, endedAtMs);
    scrubSoon(this.db);
  }

  async endedAtMs(userId: string): Promise<number | undefined> {
    const row = this.prepared('SELECT ended_at FROM ended_user WHERE user_id = ?').get(userId);
    return row && Number(row['ended_at']);
  }

  async byId(userId: string): Promise<User | undefined> {
    const row = this.prepared('SELECT * FROM seen_user WHERE user_id = ?').get(userId);
    return row && userOf(row);
  }

  async byEmail(email: string): Promise<User[]> {
    return this.prepared('SELECT * FROM seen_user WHERE lower(email) = ?').all(email).map(userOf);
  }
}

const userOf = (row: Record<string, unknown>): User => ({
  user_id: String(row['user_id']),
  email: String(row['email']),
  operator: row['operator'] === 1,
});

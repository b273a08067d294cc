import type { Postgres } from '../../../../storage/postgres/postgres.js';
import type { User } from '../../auth.contract.js';
import { SeenUsers } from '../providers/seen-users.js';

export class PostgresSeenUsers extends SeenUsers {
  constructor(private readonly db: Postgres) {
    super();
  }

  async remember({ user_id, email: given, operator }: User): Promise<void> {
    // A claim of the provider may hold any character.
    const email = given.replaceAll('\0', '');
    const known = await this.byId(user_id);
    if (known?.email === email && known.operator === operator) return;
    await this.db.write(
      `INSERT INTO seen_user (user_id, email, operator) VALUES ($1, $2, $3)
       ON CONFLICT (user_id) DO UPDATE SET email = excluded.email, operator = excluded.operator`,
      [user_id, email, operator],
      { isIdempotent: true },
    );
  }

  async forget(userId: string, endedAtMs: number): Promise<void> {
    await this.db.write(
      `WITH forgotten AS (DELETE FROM seen_user WHERE user_id = $1)
       INSERT INTO ended_user (user_id, ended_at) VALUES ($1, $2)
       ON CONFLICT (user_id) DO UPDATE SET ended_at = greatest(ended_user.ended_at, excluded.ended_at)`,
      [userId, endedAtMs],
      { isIdempotent: true },
    );
  }

  async endedAtMs(userId: string): Promise<number | undefined> {
    const sql = 'SELECT ended_at FROM ended_user WHERE user_id = $1';
    return (await this.db.read<{ ended_at: number }>(sql, [userId])).rows[0]?.ended_at;
  }

  async byId(userId: string): Promise<User | undefined> {
    const { rows } = await this.db.read<User & Record<string, unknown>>('SELECT * FROM seen_user WHERE user_id = $1', [
      userId,
    ]);
    return rows[0];
  }

  async byEmail(email: string): Promise<User[]> {
    if (email.includes('\0')) return [];
    const sql = 'SELECT * FROM seen_user WHERE lower(email) = $1';
    return (await this.db.read<User & Record<string, unknown>>(sql, [email])).rows;
  }
}

import type { Postgres } from '../../../../storage/postgres/postgres.js';
import type { Invitation } from '../../auth.contract.js';
import {
  invitationOf,
  type InvitationRow,
  InvitationStore,
  KEPT_MS,
  newInvitation,
  type NewInvitation,
} from '../invitations/invitation-store.js';
import { digestOf } from '../keys/key-store.js';

type Row = InvitationRow & Record<string, unknown>;

export class PostgresInvitationStore extends InvitationStore {
  constructor(private readonly db: Postgres) {
    super();
  }

  create(given: NewInvitation, most: number): Promise<{ token: string; stored: Invitation } | undefined> {
    const now = new Date();
    const { token, digest, stored } = newInvitation(given, now.toISOString());
    const unused = 'SELECT count(*) FROM invitation WHERE used_at IS NULL AND expires_at > $5';
    return this.db.transaction(async (session) => {
      await session.query("SELECT pg_advisory_xact_lock(hashtextextended('invitations', 0))");
      const longAgo = new Date(now.getTime() - KEPT_MS).toISOString();
      await session.query('DELETE FROM invitation WHERE expires_at < $1', [longAgo]);
      const { rowCount } = await session.query(
        `INSERT INTO invitation (invitation_id, digest, email, created_by, created_at, expires_at)
         SELECT $1, $2, $3, $4, $5, $6 WHERE (${unused}) < $7`,
        [stored.id, digest, stored.email, stored.created_by, stored.created_at, stored.expires_at, most],
      );
      return rowCount === 1 ? { token, stored } : undefined;
    });
  }

  async list(most: number): Promise<Invitation[]> {
    const sql = 'SELECT * FROM invitation ORDER BY created_at DESC, invitation_id LIMIT $1';
    return (await this.db.read<Row>(sql, [most])).rows.map(invitationOf);
  }

  async delete(id: string): Promise<boolean> {
    // PostgreSQL takes no such text; no invitation has it.
    if (id.includes('\0')) return false;
    return (await this.db.write('DELETE FROM invitation WHERE invitation_id = $1', [id])).rowCount === 1;
  }

  async forgetUser(userId: string): Promise<void> {
    await this.db.write('DELETE FROM invitation WHERE used_by = $1', [userId], { isIdempotent: true });
  }

  async valid(token: string): Promise<Invitation | undefined> {
    const sql = 'SELECT * FROM invitation WHERE digest = $1 AND used_at IS NULL AND expires_at > $2';
    const { rows } = await this.db.read<Row>(sql, [digestOf(token), new Date().toISOString()]);
    return rows[0] && invitationOf(rows[0]);
  }
}

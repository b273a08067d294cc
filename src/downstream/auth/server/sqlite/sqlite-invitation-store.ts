import type { DatabaseSync } from 'node:sqlite';
import { scrubSoon } from '../../../../storage/scrub.js';
import { transaction } from '../../../../storage/sqlite.js';
import { preparedBy } from '../../../../storage/statements.js';
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

export const INVITATION_TABLES = `
  CREATE TABLE invitation (
    invitation_id TEXT PRIMARY KEY,
    digest TEXT NOT NULL UNIQUE,
    email TEXT,
    created_by TEXT NOT NULL,
    created_at TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    used_at TEXT,
    used_by TEXT
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX invitation_by_age ON invitation (created_at);`;

export class SqliteInvitationStore extends InvitationStore {
  private readonly prepared: ReturnType<typeof preparedBy>;

  constructor(private readonly db: DatabaseSync) {
    super();
    this.prepared = preparedBy(db);
  }

  async create(given: NewInvitation, most: number): Promise<{ token: string; stored: Invitation } | undefined> {
    const now = new Date();
    const { token, digest, stored } = newInvitation(given, now.toISOString());
    const unused = 'SELECT count(*) FROM invitation WHERE used_at IS NULL AND expires_at > ?';
    return transaction(this.db, () => {
      this.prepared('DELETE FROM invitation WHERE expires_at < ?').run(new Date(now.getTime() - KEPT_MS).toISOString());
      const { changes } = this.prepared(
        `INSERT INTO invitation (invitation_id, digest, email, created_by, created_at, expires_at)
           SELECT ?, ?, ?, ?, ?, ? WHERE (${unused}) < ?`,
      ).run(
        ...[stored.id, digest, stored.email, stored.created_by, stored.created_at, stored.expires_at],
        ...[stored.created_at, most],
      );
      return changes > 0 ? { token, stored } : undefined;
    });
  }

  async list(most: number): Promise<Invitation[]> {
    const rows = this.prepared('SELECT * FROM invitation ORDER BY created_at DESC, invitation_id LIMIT ?').all(most);
    return (rows as unknown as InvitationRow[]).map(invitationOf);
  }

  async delete(id: string): Promise<boolean> {
    return this.prepared('DELETE FROM invitation WHERE invitation_id = ?').run(id).changes > 0;
  }

  async forgetUser(userId: string): Promise<void> {
    this.prepared('DELETE FROM invitation WHERE used_by = ?').run(userId);
    scrubSoon(this.db);
  }

  async valid(token: string): Promise<Invitation | undefined> {
    const sql = 'SELECT * FROM invitation WHERE digest = ? AND used_at IS NULL AND expires_at > ?';
    const row = this.prepared(sql).get(digestOf(token), new Date().toISOString());
    return row && invitationOf(row as unknown as InvitationRow);
  }
}

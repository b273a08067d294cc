import { hash } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { preparedBy } from '../../../../storage/statements.js';
import type { User } from '../../auth.contract.js';

export const SEEN_USER_TABLES = `
  CREATE TABLE seen_user (
    user_id TEXT PRIMARY KEY,
    email TEXT NOT NULL,
    operator INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;`;

/**
 * The users of an external provider, each with the data of the last valid token. An API key for a user works without a
 * token.
 */
export class SeenUsers {
  private readonly prepared: ReturnType<typeof preparedBy>;

  constructor(db: DatabaseSync) {
    this.prepared = preparedBy(db);
  }

  remember({ user_id, email, operator }: User): void {
    const known = this.byId(user_id);
    if (known?.email === email && known.operator === operator) return;
    this.prepared('INSERT OR REPLACE INTO seen_user (user_id, email, operator) VALUES (?, ?, ?)').run(
      user_id,
      email,
      Number(operator),
    );
  }

  byId(userId: string): User | undefined {
    const row = this.prepared('SELECT email, operator FROM seen_user WHERE user_id = ?').get(userId);
    return row && { user_id: userId, email: String(row['email']), operator: row['operator'] === 1 };
  }

  byEmail(email: string): User[] {
    const rows = this.prepared('SELECT user_id, email, operator FROM seen_user WHERE lower(email) = ?').all(email);
    return rows.map((row) => ({
      user_id: String(row['user_id']),
      email: String(row['email']),
      operator: row['operator'] === 1,
    }));
  }
}

/** The characters of a user id, see `http/caller.ts`. A subject with the prefix would be confused with a digest. */
const PLAIN_SUBJECT = /^(?!sub_)[A-Za-z0-9_-]{1,128}$/;

/**
 * The user id for a token's subject: the subject itself, or its digest where the subject is not usable as a folder
 * name.
 */
export function userIdOf(subject: string): string {
  return PLAIN_SUBJECT.test(subject) ? subject : `sub_${hash('sha256', subject, 'base64url')}`;
}

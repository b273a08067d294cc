import type { DatabaseSync } from 'node:sqlite';
import { preparedBy } from '../../../../storage/statements.js';

/** The tokens that were revoked before they expired, each kept until its expiry. Times are milliseconds since 1970. */
export class RevokedTokens {
  private readonly prepared: ReturnType<typeof preparedBy>;

  constructor(
    db: DatabaseSync,
    private readonly now: () => number = Date.now,
  ) {
    this.prepared = preparedBy(db);
  }

  add(tokenId: string, expiresAt: number): void {
    this.prepared('DELETE FROM revocation WHERE expires_at <= ?').run(this.now());
    this.prepared('INSERT INTO revocation (token_id, expires_at) VALUES (?, ?) ON CONFLICT (token_id) DO NOTHING').run(
      tokenId,
      expiresAt,
    );
  }

  has(tokenId: string): boolean {
    return this.prepared('SELECT 1 FROM revocation WHERE token_id = ?').get(tokenId) !== undefined;
  }
}

import type { DatabaseSync } from 'node:sqlite';
import { preparedBy } from '../../../../storage/statements.js';
import { RevokedTokens } from '../tokens/revoked-tokens.js';

export class SqliteRevokedTokens extends RevokedTokens {
  private readonly prepared: ReturnType<typeof preparedBy>;

  constructor(
    db: DatabaseSync,
    private readonly now: () => number = Date.now,
  ) {
    super();
    this.prepared = preparedBy(db);
  }

  async add(tokenId: string, expiresAt: number): Promise<void> {
    this.prepared('DELETE FROM revocation WHERE expires_at <= ?').run(this.now());
    this.prepared('INSERT INTO revocation (token_id, expires_at) VALUES (?, ?) ON CONFLICT (token_id) DO NOTHING').run(
      tokenId,
      expiresAt,
    );
  }

  async has(tokenId: string): Promise<boolean> {
    return this.prepared('SELECT 1 FROM revocation WHERE token_id = ?').get(tokenId) !== undefined;
  }
}

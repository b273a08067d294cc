import type { Postgres } from '../../../../storage/postgres/postgres.js';
import { RevokedTokens } from '../tokens/revoked-tokens.js';

export class PostgresRevokedTokens extends RevokedTokens {
  constructor(
    private readonly db: Postgres,
    private readonly now: () => number = Date.now,
  ) {
    super();
  }

  async add(tokenId: string, expiresAt: number): Promise<void> {
    await this.db.write(
      `WITH expired AS (DELETE FROM revocation WHERE expires_at <= $3)
       INSERT INTO revocation (token_id, expires_at) VALUES ($1, $2) ON CONFLICT (token_id) DO NOTHING`,
      [tokenId, expiresAt, this.now()],
      { isIdempotent: true },
    );
  }

  async has(tokenId: string): Promise<boolean> {
    const sql = 'SELECT EXISTS (SELECT FROM revocation WHERE token_id = $1) AS found';
    return (await this.db.read<{ found: boolean }>(sql, [tokenId])).rows[0]?.found ?? false;
  }
}

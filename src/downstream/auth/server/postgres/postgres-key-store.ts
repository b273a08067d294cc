import type { Postgres } from '../../../../storage/postgres/postgres.js';
import type { ApiKey, KeyScope } from '../../auth.contract.js';
import { digestOf, KeyStore, type KeyUse, type NewKey, newKey, USED_EVERY_MS } from '../keys/key-store.js';

interface Row {
  [column: string]: unknown;
  key_id: string;
  user_id: string;
  name: string;
  scopes: string;
  project_id: string | null;
  created_at: string;
  expires_at: string | null;
  last_used_at: string | null;
}

export class PostgresKeyStore extends KeyStore {
  constructor(
    private readonly db: Postgres,
    private readonly now: () => number = Date.now,
  ) {
    super();
  }

  create(userId: string, given: NewKey, most: number): Promise<{ key: string; stored: ApiKey } | undefined> {
    const { key, digest, stored } = newKey(given, this.time());
    return this.db.transaction(async (session) => {
      await session.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [`keys of ${userId}`]);
      const { rowCount } = await session.query(
        `INSERT INTO api_key (key_id, user_id, name, digest, scopes, project_id, created_at, expires_at)
         SELECT $1, $2, $3, $4, $5, $6, $7, $8 WHERE (SELECT count(*) FROM api_key WHERE user_id = $2) < $9`,
        [
          ...[stored.id, userId, JSON.stringify(stored.name), digest, JSON.stringify(stored.scopes)],
          ...[stored.project_id, stored.created_at, stored.expires_at, most],
        ],
      );
      return rowCount === 1 ? { key, stored } : undefined;
    });
  }

  async list(userId: string): Promise<ApiKey[]> {
    const sql = 'SELECT * FROM api_key WHERE user_id = $1 ORDER BY created_at DESC, key_id';
    return (await this.db.read<Row>(sql, [userId])).rows.map(apiKeyOf);
  }

  async delete(userId: string, keyId: string): Promise<boolean> {
    if (keyId.includes('\0')) return false;
    const sql = 'DELETE FROM api_key WHERE user_id = $1 AND key_id = $2';
    return (await this.db.write(sql, [userId, keyId])).rowCount === 1;
  }

  async deleteAll(userId: string, until: string): Promise<void> {
    const sql = 'DELETE FROM api_key WHERE user_id = $1 AND created_at <= $2';
    await this.db.write(sql, [userId, until], { isIdempotent: true });
  }

  async use(key: string): Promise<KeyUse | 'unknown' | 'expired'> {
    const { rows } = await this.db.read<Row>('SELECT * FROM api_key WHERE digest = $1', [digestOf(key)]);
    if (rows[0] === undefined) return 'unknown';
    const found = apiKeyOf(rows[0]);
    if (found.expires_at !== null && Date.parse(found.expires_at) <= this.now()) return 'expired';
    if (found.last_used_at === null || this.now() - Date.parse(found.last_used_at) >= USED_EVERY_MS) {
      const sql = 'UPDATE api_key SET last_used_at = $1 WHERE key_id = $2';
      await this.db.write(sql, [this.time(), found.id], { isIdempotent: true });
    }
    return { userId: rows[0].user_id, key: found };
  }

  private time(): string {
    return new Date(this.now()).toISOString();
  }
}

function apiKeyOf({ key_id, name, scopes, project_id, created_at, expires_at, last_used_at }: Row): ApiKey {
  return {
    id: key_id,
    name: JSON.parse(name) as string,
    scopes: JSON.parse(scopes) as KeyScope[],
    ...{ project_id, created_at, expires_at, last_used_at },
  };
}

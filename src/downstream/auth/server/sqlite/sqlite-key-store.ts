import type { DatabaseSync } from 'node:sqlite';
import { scrubSoon } from '../../../../storage/scrub.js';
import { preparedBy } from '../../../../storage/statements.js';
import type { ApiKey, KeyScope } from '../../auth.contract.js';
import { digestOf, KeyStore, type KeyUse, type NewKey, newKey, USED_EVERY_MS } from '../keys/key-store.js';

export const KEY_TABLES = `
  CREATE TABLE api_key (
    key_id TEXT PRIMARY KEY,
    user_id TEXT NOT NULL,
    name TEXT NOT NULL,
    digest TEXT NOT NULL UNIQUE,
    scopes TEXT NOT NULL,
    project_id TEXT,
    created_at TEXT NOT NULL,
    expires_at TEXT,
    last_used_at TEXT
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX api_key_by_user ON api_key (user_id, created_at);`;

export class SqliteKeyStore extends KeyStore {
  private readonly prepared: ReturnType<typeof preparedBy>;

  constructor(
    private readonly db: DatabaseSync,
    private readonly now: () => number = Date.now,
  ) {
    super();
    this.prepared = preparedBy(db);
  }

  async create(userId: string, given: NewKey, most: number): Promise<{ key: string; stored: ApiKey } | undefined> {
    if ((await this.list(userId)).length >= most) return undefined;
    const { key, digest, stored } = newKey(given, this.time());
    this.prepared(
      `INSERT INTO api_key (key_id, user_id, name, digest, scopes, project_id, created_at, expires_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    ).run(
      ...[stored.id, userId, stored.name, digest, JSON.stringify(stored.scopes)],
      ...[stored.project_id, stored.created_at, stored.expires_at],
    );
    return { key, stored };
  }

  async list(userId: string): Promise<ApiKey[]> {
    return this.prepared('SELECT * FROM api_key WHERE user_id = ? ORDER BY created_at DESC, key_id')
      .all(userId)
      .map(apiKeyOf);
  }

  async delete(userId: string, keyId: string): Promise<boolean> {
    return this.prepared('DELETE FROM api_key WHERE user_id = ? AND key_id = ?').run(userId, keyId).changes > 0;
  }

  async deleteAll(userId: string, until: string): Promise<void> {
    this.prepared('DELETE FROM api_key WHERE user_id = ? AND created_at <= ?').run(userId, until);
    scrubSoon(this.db);
  }

  async use(key: string): Promise<KeyUse | 'unknown' | 'expired'> {
    const row = this.prepared('SELECT * FROM api_key WHERE digest = ?').get(digestOf(key));
    if (row === undefined) return 'unknown';
    const found = apiKeyOf(row);
    if (found.expires_at !== null && Date.parse(found.expires_at) <= this.now()) return 'expired';
    if (found.last_used_at === null || this.now() - Date.parse(found.last_used_at) >= USED_EVERY_MS) {
      this.prepared('UPDATE api_key SET last_used_at = ? WHERE key_id = ?').run(this.time(), found.id);
    }
    return { userId: String(row['user_id']), key: found };
  }

  private time(): string {
    return new Date(this.now()).toISOString();
  }
}

function apiKeyOf(row: Record<string, unknown>): ApiKey {
  const text = (name: string) => row[name] as string | null;
  return {
    id: String(row['key_id']),
    name: String(row['name']),
    scopes: JSON.parse(String(row['scopes'])) as KeyScope[],
    project_id: text('project_id'),
    created_at: String(row['created_at']),
    expires_at: text('expires_at'),
    last_used_at: text('last_used_at'),
  };
}

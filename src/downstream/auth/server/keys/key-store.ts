import { hash, randomBytes, randomUUID } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { preparedBy } from '../../../../storage/statements.js';
import type { ApiKey, KeyScope } from '../../auth.contract.js';

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

/**
 * The prefix of every key, by which secret scanners find a leaked one and which distinguishes it from a session token.
 */
export const KEY_PREFIX = 'cdx_';
const KEY_BYTES = 32;
/** The shortest time between two writes of a key's last use. */
const USED_EVERY_MS = 60_000;

export interface NewKey {
  name: string;
  scopes: readonly KeyScope[];
  project_id: string | null;
  expires_at: string | null;
}

/** The owner of a key, and its permissions. */
export interface KeyUse {
  userId: string;
  key: ApiKey;
}

/**
 * API keys. Only a SHA-256 digest is stored: a key has 256 random bits, so a slow hash would add no protection and
 * would slow down every request.
 */
export class KeyStore {
  private readonly prepared = preparedBy(this.db);

  constructor(
    private readonly db: DatabaseSync,
    private readonly now: () => number = Date.now,
  ) {}

  /** @returns the key itself, which is not stored */
  create(userId: string, { name, scopes, project_id, expires_at }: NewKey): { key: string; stored: ApiKey } {
    const key = KEY_PREFIX + randomBytes(KEY_BYTES).toString('base64url');
    const id = randomUUID();
    this.prepared(
      `INSERT INTO api_key (key_id, user_id, name, digest, scopes, project_id, created_at, expires_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    ).run(id, userId, name, digestOf(key), JSON.stringify(scopes), project_id, this.time(), expires_at);
    return { key, stored: this.list(userId).find((one) => one.id === id) as ApiKey };
  }

  /** Newest first. */
  list(userId: string): ApiKey[] {
    return this.prepared('SELECT * FROM api_key WHERE user_id = ? ORDER BY created_at DESC, key_id')
      .all(userId)
      .map(apiKeyOf);
  }

  /** False where the user has no such key. */
  delete(userId: string, keyId: string): boolean {
    return this.prepared('DELETE FROM api_key WHERE user_id = ? AND key_id = ?').run(userId, keyId).changes > 0;
  }

  /** Finds the key and records its use. */
  use(key: string): KeyUse | 'unknown' | 'expired' {
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

const digestOf = (key: string) => hash('sha256', key, 'base64url');

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

import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import type { Version } from '../git.contract.js';

export interface ProjectKey {
  userId: string;
  projectId: string;
}

export interface StoredVersion extends Version {
  commit: string;
  deleted: boolean;
}

export const VERSION_TABLES = `
  CREATE TABLE versions (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id TEXT NOT NULL,
    project_id TEXT NOT NULL,
    version TEXT NOT NULL,
    path TEXT NOT NULL,
    hash TEXT NOT NULL,
    deleted INTEGER NOT NULL,
    author TEXT NOT NULL,
    message TEXT NOT NULL,
    committed_at TEXT NOT NULL,
    UNIQUE (user_id, project_id, version, path)
  ) STRICT;
  CREATE INDEX versions_by_path ON versions (user_id, project_id, path, seq);
  CREATE INDEX versions_by_hash ON versions (user_id, project_id, hash);
  CREATE TABLE dropped (user_id TEXT NOT NULL, project_id TEXT NOT NULL, PRIMARY KEY (user_id, project_id)) STRICT`;

/** Which commit is which version of which document. */
export class VersionStore {
  constructor(private readonly db: DatabaseSync) {}

  add({ userId, projectId }: ProjectKey, version: StoredVersion): void {
    this.db
      .prepare(
        `INSERT OR IGNORE INTO versions (user_id, project_id, version, path, hash, deleted, author, message, committed_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      )
      .run(
        userId,
        projectId,
        version.version,
        version.path,
        version.commit,
        version.deleted ? 1 : 0,
        version.author,
        version.message,
        version.committed_at,
      );
  }

  find({ userId, projectId }: ProjectKey, version: string, path: string): StoredVersion | undefined {
    return stored(
      this.db
        .prepare('SELECT * FROM versions WHERE user_id = ? AND project_id = ? AND version = ? AND path = ?')
        .get(userId, projectId, version, path),
    );
  }

  latest({ userId, projectId }: ProjectKey, path: string): StoredVersion | undefined {
    return stored(
      this.db
        .prepare('SELECT * FROM versions WHERE user_id = ? AND project_id = ? AND path = ? ORDER BY seq DESC LIMIT 1')
        .get(userId, projectId, path),
    );
  }

  byHash({ userId, projectId }: ProjectKey, hash: string): StoredVersion | undefined {
    return stored(
      this.db
        .prepare('SELECT * FROM versions WHERE user_id = ? AND project_id = ? AND hash = ? LIMIT 1')
        .get(userId, projectId, hash),
    );
  }

  /** Newest first. */
  list(
    { userId, projectId }: ProjectKey,
    { path, limit, offset }: { path?: string | undefined; limit: number; offset: number },
  ): { versions: StoredVersion[]; total: number } {
    const where = 'user_id = ?1 AND project_id = ?2 AND (?3 IS NULL OR path = ?3)';
    const rows = this.db
      .prepare(`SELECT * FROM versions WHERE ${where} ORDER BY seq DESC LIMIT ?4 OFFSET ?5`)
      .all(userId, projectId, path ?? null, limit, offset);
    const total = this.db
      .prepare(`SELECT count(*) AS n FROM versions WHERE ${where}`)
      .get(userId, projectId, path ?? null);
    return { versions: rows.map((row) => stored(row) as StoredVersion), total: Number(total?.['n']) };
  }

  /** Forgets a project for good. @returns whether there was anything */
  drop({ userId, projectId }: ProjectKey): boolean {
    const { changes } = this.db
      .prepare('DELETE FROM versions WHERE user_id = ? AND project_id = ?')
      .run(userId, projectId);
    this.db.prepare('INSERT OR IGNORE INTO dropped VALUES (?, ?)').run(userId, projectId);
    return Number(changes) > 0;
  }

  isDropped({ userId, projectId }: ProjectKey): boolean {
    return (
      this.db.prepare('SELECT 1 FROM dropped WHERE user_id = ? AND project_id = ?').get(userId, projectId) !== undefined
    );
  }
}

function stored(row: Record<string, SQLOutputValue> | undefined): StoredVersion | undefined {
  if (row === undefined) return undefined;
  return {
    version: String(row['version']),
    path: String(row['path']),
    author: String(row['author']),
    message: String(row['message']),
    committed_at: String(row['committed_at']),
    commit: String(row['hash']),
    deleted: row['deleted'] === 1,
  };
}

import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import { tellingTerms } from '../../../../text/analysis.js';
import { ProjectInventory } from '../../../../storage/inventory.js';
import { scrubSoon } from '../../../../storage/scrub.js';
import { preparedBy } from '../../../../storage/statements.js';
import type { Version } from '../../git.contract.js';
import type { ProjectKey } from '../project-key.js';
import { isObjectName } from './git-command.js';

export interface StoredVersion extends Version {
  /** Of the author; may be empty. */
  email: string;
  commit: string;
  deleted: boolean;
}

/** Selects versions by document, time span (`until` excluded) and words. */
export interface Which {
  path?: string | undefined;
  /** UTC, ISO 8601, as `until`. */
  since?: string | undefined;
  until?: string | undefined;
  text?: string | undefined;
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

export const AUTHOR_EMAIL = `
  ALTER TABLE versions ADD COLUMN email TEXT NOT NULL DEFAULT '';
  CREATE INDEX versions_by_time ON versions (user_id, project_id, committed_at, seq)`;

/** The path before a move, of the version that the move made. */
export const MOVED_FROM = 'ALTER TABLE versions ADD COLUMN moved_from TEXT';

/** The number of commits of each import, stored in the transaction of the commits, so that a kill cannot make it wrong. */
export const IMPORT_TABLES = `
  CREATE TABLE imports (
    user_id TEXT NOT NULL,
    project_id TEXT NOT NULL,
    import_id TEXT NOT NULL,
    commits INTEGER NOT NULL,
    PRIMARY KEY (user_id, project_id, import_id)
  ) STRICT`;

/** The newest version of each document that was not deleted, kept by triggers. */
export const HEAD_TABLES = `
  CREATE TABLE heads (
    user_id TEXT NOT NULL,
    project_id TEXT NOT NULL,
    path TEXT NOT NULL,
    version TEXT NOT NULL,
    PRIMARY KEY (user_id, project_id, path)
  ) STRICT, WITHOUT ROWID;
  INSERT INTO heads
    SELECT user_id, project_id, path, version FROM versions v WHERE deleted = 0 AND seq =
      (SELECT max(seq) FROM versions w WHERE w.user_id = v.user_id AND w.project_id = v.project_id AND w.path = v.path);
  CREATE TRIGGER head_changed AFTER INSERT ON versions WHEN NEW.deleted = 0 BEGIN
    INSERT OR REPLACE INTO heads VALUES (NEW.user_id, NEW.project_id, NEW.path, NEW.version);
  END;
  CREATE TRIGGER head_deleted AFTER INSERT ON versions WHEN NEW.deleted = 1 BEGIN
    DELETE FROM heads WHERE user_id = NEW.user_id AND project_id = NEW.project_id AND path = NEW.path;
  END`;

/** The paths of the document ?3, each with the number of the move that left it. */
const LINE = `
  WITH RECURSIVE line (path, before) AS (
    VALUES (?3, ${Number.MAX_SAFE_INTEGER})
    UNION
    SELECT v.moved_from, v.seq FROM versions v JOIN line ON v.path = line.path AND v.seq < line.before
      WHERE v.user_id = ?1 AND v.project_id = ?2 AND v.moved_from IS NOT NULL)`;

/**
 * `INSERT OR REPLACE` in a trigger takes the conflict clause of the statement that fires it, and versions are added with
 * `INSERT OR IGNORE`, so the first version of a document stayed its head.
 */
export const HEADS_FOLLOW = `
  DROP TRIGGER head_changed;
  CREATE TRIGGER head_changed AFTER INSERT ON versions WHEN NEW.deleted = 0 BEGIN
    INSERT INTO heads VALUES (NEW.user_id, NEW.project_id, NEW.path, NEW.version)
      ON CONFLICT (user_id, project_id, path) DO UPDATE SET version = excluded.version;
  END;
  DELETE FROM heads;
  INSERT INTO heads
    SELECT user_id, project_id, path, version FROM versions v WHERE deleted = 0 AND seq =
      (SELECT max(seq) FROM versions w WHERE w.user_id = v.user_id AND w.project_id = v.project_id AND w.path = v.path)`;

/** The versions of another server while they are taken over; `position` is their place there. */
export const FILLING_TABLES = `
  CREATE TABLE filling (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    source TEXT NOT NULL,
    position INTEGER NOT NULL,
    user_id TEXT NOT NULL,
    project_id TEXT NOT NULL,
    version TEXT NOT NULL,
    path TEXT NOT NULL,
    hash TEXT NOT NULL,
    deleted INTEGER NOT NULL,
    author TEXT NOT NULL,
    email TEXT NOT NULL,
    message TEXT NOT NULL,
    committed_at TEXT NOT NULL,
    moved_from TEXT,
    UNIQUE (user_id, project_id, version, path)
  ) STRICT;
  CREATE INDEX versions_by_arrival ON versions (user_id, project_id, seq)`;

const NEWEST_FIRST = 'ORDER BY committed_at DESC, seq DESC';

/** Maps versions of documents to commits. */
export class VersionStore {
  readonly inventory: ProjectInventory;
  readonly versionInventory: ProjectInventory;
  private readonly prepared: ReturnType<typeof preparedBy>;

  constructor(private readonly db: DatabaseSync) {
    this.prepared = preparedBy(db);
    this.inventory = new ProjectInventory(db, 'heads');
    this.versionInventory = new ProjectInventory(db, 'versions');
    db.function('mentions_all', { deterministic: true }, (text, words) =>
      mentionsAll(String(text), JSON.parse(String(words)) as string[]) ? 1 : 0,
    );
  }

  /** @returns its number in the order of arrival; null where it was known already */
  add({ userId, projectId }: ProjectKey, version: StoredVersion): number | null {
    if (!isObjectName(version.commit)) throw new Error(`${JSON.stringify(version.commit)} is not the name of a commit`);
    const { changes, lastInsertRowid } = this.prepared(
      `INSERT OR IGNORE INTO versions
           (user_id, project_id, version, path, hash, deleted, author, email, message, committed_at, moved_from)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ).run(
      userId,
      projectId,
      version.version,
      version.path,
      version.commit,
      version.deleted ? 1 : 0,
      version.author,
      version.email,
      version.message,
      new Date(version.committed_at).toISOString(),
      version.moved_from ?? null,
    );
    return Number(changes) === 0 ? null : Number(lastInsertRowid);
  }

  find({ userId, projectId }: ProjectKey, version: string, path: string): StoredVersion | undefined {
    return stored(
      this.prepared('SELECT * FROM versions WHERE user_id = ? AND project_id = ? AND version = ? AND path = ?').get(
        userId,
        projectId,
        version,
        path,
      ),
    );
  }

  /** {@link find}, also among the versions of a document under the paths that it was moved from. */
  findMoved({ userId, projectId }: ProjectKey, version: string, path: string): StoredVersion | undefined {
    return stored(
      this.prepared(
        `${LINE} SELECT v.* FROM versions v JOIN line ON v.path = line.path AND v.seq < line.before
             WHERE user_id = ?1 AND project_id = ?2 AND version = ?4 ORDER BY v.path = ?3 DESC LIMIT 1`,
      ).get(userId, projectId, path, version),
    );
  }

  latest({ userId, projectId }: ProjectKey, path: string): StoredVersion | undefined {
    return stored(
      this.prepared(
        `SELECT * FROM versions WHERE user_id = ? AND project_id = ? AND path = ? ${NEWEST_FIRST} LIMIT 1`,
      ).get(userId, projectId, path),
    );
  }

  /** The version that was stored last, independent of its date. */
  last({ userId, projectId }: ProjectKey, path: string): StoredVersion | undefined {
    return stored(
      this.prepared(
        'SELECT * FROM versions WHERE user_id = ? AND project_id = ? AND path = ? ORDER BY seq DESC LIMIT 1',
      ).get(userId, projectId, path),
    );
  }

  /** By path. */
  heads({ userId, projectId }: ProjectKey, { limit, offset }: { limit: number; offset: number }) {
    const where = 'WHERE user_id = ? AND project_id = ?';
    const documents = this.prepared(`SELECT path, version FROM heads ${where} ORDER BY path LIMIT ? OFFSET ?`).all(
      userId,
      projectId,
      limit,
      offset,
    ) as { path: string; version: string }[];
    const total = this.prepared(`SELECT count(*) AS n FROM heads ${where}`).get(userId, projectId);
    return { documents, total: Number(total?.['n']) };
  }

  /** The paths of the documents that were not deleted. */
  *paths({ userId, projectId }: ProjectKey): Generator<string> {
    // An iteration that is not at its end holds its statement.
    const rows = this.db.prepare('SELECT path FROM heads WHERE user_id = ? AND project_id = ?');
    for (const { path } of rows.iterate(userId, projectId)) yield String(path);
  }

  byHash({ userId, projectId }: ProjectKey, hash: string): StoredVersion | undefined {
    return stored(
      this.prepared('SELECT * FROM versions WHERE user_id = ? AND project_id = ? AND hash = ? LIMIT 1').get(
        userId,
        projectId,
        hash,
      ),
    );
  }

  /** Newest first. */
  list(
    { userId, projectId }: ProjectKey,
    { path, since, until, text, limit, offset }: Which & { limit: number; offset: number },
  ): { versions: StoredVersion[]; total: number } {
    const words = text === undefined ? [] : mentioned(text);
    const where = `user_id = ?1 AND project_id = ?2
      AND (?3 IS NULL OR EXISTS (SELECT 1 FROM line WHERE line.path = versions.path AND seq < line.before))
      AND (?4 IS NULL OR committed_at >= ?4) AND (?5 IS NULL OR committed_at < ?5)
      AND (?6 = '[]' OR mentions_all(path || ' ' || message, ?6))`;
    const values = [userId, projectId, path ?? null, iso(since), iso(until), JSON.stringify(words)];
    const rows = this.prepared(`${LINE} SELECT * FROM versions WHERE ${where} ${NEWEST_FIRST} LIMIT ?7 OFFSET ?8`).all(
      ...values,
      limit,
      offset,
    );
    const total = this.prepared(`${LINE} SELECT count(*) AS n FROM versions WHERE ${where}`).get(...values);
    return { versions: rows.map((row) => stored(row) as StoredVersion), total: Number(total?.['n']) };
  }

  /** In the order of arrival, from the one behind the position `after` on. */
  inOrder({ userId, projectId }: ProjectKey, after: number, limit: number): (StoredVersion & { position: number })[] {
    const rows = this.prepared(
      'SELECT * FROM versions WHERE user_id = ? AND project_id = ? AND seq > ? ORDER BY seq LIMIT ?',
    ).all(userId, projectId, after, limit);
    return rows.map((row) => ({ ...(stored(row) as StoredVersion), position: Number(row['seq']) }));
  }

  addImported({ userId, projectId }: ProjectKey, importId: string, commits: number): void {
    this.prepared(
      `INSERT INTO imports VALUES (?, ?, ?, ?)
           ON CONFLICT (user_id, project_id, import_id) DO UPDATE SET commits = commits + excluded.commits`,
    ).run(userId, projectId, importId, commits);
  }

  imported({ userId, projectId }: ProjectKey, importId: string): number {
    const row = this.prepared('SELECT commits FROM imports WHERE user_id = ? AND project_id = ? AND import_id = ?').get(
      userId,
      projectId,
      importId,
    );
    return Number(row?.['commits'] ?? 0);
  }

  /** Forgets a project for good. @returns whether there was anything */
  drop({ userId, projectId }: ProjectKey): boolean {
    const { changes } = this.prepared('DELETE FROM versions WHERE user_id = ? AND project_id = ?').run(
      userId,
      projectId,
    );
    this.prepared('DELETE FROM heads WHERE user_id = ? AND project_id = ?').run(userId, projectId);
    this.prepared('DELETE FROM imports WHERE user_id = ? AND project_id = ?').run(userId, projectId);
    this.prepared('DELETE FROM filling WHERE user_id = ? AND project_id = ?').run(userId, projectId);
    this.prepared('INSERT OR IGNORE INTO dropped VALUES (?, ?)').run(userId, projectId);
    scrubSoon(this.db);
    return Number(changes) > 0;
  }

  isDropped({ userId, projectId }: ProjectKey): boolean {
    return (
      this.prepared('SELECT 1 FROM dropped WHERE user_id = ? AND project_id = ?').get(userId, projectId) !== undefined
    );
  }
}

/** Times are compared as text, so all have one format. */
function iso(time: string | undefined): string | null {
  return time === undefined ? null : new Date(time).toISOString();
}

/** The words of a path, a message or a question: those of `chapter03.md` are "chapter", "3" and "md". */
function mentioned(text: string): string[] {
  const parted = text.replace(/(?<=\p{L})(?=\p{N})|(?<=\p{N})(?=\p{L})/gu, ' ').replaceAll('_', ' ');
  return tellingTerms(parted).map((term) => term.replace(/^0+(?=\d)/, ''));
}

function mentionsAll(text: string, words: readonly string[]): boolean {
  const known = new Set(mentioned(text));
  return words.every((word) => known.has(word));
}

function stored(row: Record<string, SQLOutputValue> | undefined): StoredVersion | undefined {
  if (row === undefined) return undefined;
  return {
    version: String(row['version']),
    path: String(row['path']),
    author: String(row['author']),
    email: String(row['email']),
    message: String(row['message']),
    committed_at: String(row['committed_at']),
    commit: String(row['hash']),
    deleted: row['deleted'] === 1,
    ...(typeof row['moved_from'] === 'string' && { moved_from: row['moved_from'] }),
  };
}

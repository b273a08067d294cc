import type { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import { StartError } from '../config/start-error.js';
import { openDatabase, transaction } from '../storage/sqlite.js';
import { STATE_DIR } from './folder.js';

/** The state of a document when both sides were last equal. */
export interface Synced {
  path: string;
  /** The digest and the version that belong together; null before the first upload was answered. */
  digest: string | null;
  version: string | null;
  /** The digest of an upload whose answer is not known. */
  pending: string | null;
  /** The digest of a content that the server does not take. */
  refused: string | null;
  /** Whether the server's content came from this folder; only then a deletion here is one there. */
  own: boolean;
}

const MIGRATIONS = [
  `CREATE TABLE target (url TEXT NOT NULL, project_id TEXT NOT NULL) STRICT;
   CREATE TABLE documents (
     path TEXT PRIMARY KEY,
     digest TEXT,
     version TEXT,
     pending TEXT,
     refused TEXT,
     own INTEGER NOT NULL
   ) STRICT, WITHOUT ROWID`,
];

/** The state of one folder, in `.caudex/sync.db` below it. One process at a time has it. */
export class SyncState {
  private readonly db: DatabaseSync;

  /** @throws StartError where another process is at work in the folder */
  constructor(dir: string) {
    const file = join(dir, STATE_DIR, 'sync.db');
    try {
      this.db = openDatabase(file, MIGRATIONS);
      this.db.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN IMMEDIATE; COMMIT');
    } catch (error) {
      if (!(error as Error).message.includes('database is locked')) throw error;
      throw new StartError(`${file} is in use: another caudex sync keeps this folder in step`);
    }
  }

  /** Remembers which project the folder belongs to. @throws StartError where it belongs to another one */
  bind(url: string, projectId: string): void {
    const target = this.db.prepare('SELECT url, project_id FROM target').get();
    if (target === undefined) this.db.prepare('INSERT INTO target VALUES (?, ?)').run(url, projectId);
    else if (target['project_id'] !== projectId) {
      throw new StartError(
        `this folder is in step with the project ${String(target['project_id'])} at ${String(target['url'])}, not with ${projectId} at ${url}; remove ${STATE_DIR}/sync.db to begin anew`,
      );
    }
  }

  all(): Map<string, Synced> {
    const rows = this.db.prepare('SELECT * FROM documents').all();
    return new Map(rows.map((row) => [String(row['path']), { ...row, own: row['own'] === 1 } as unknown as Synced]));
  }

  /** Writes all or none, durably. @param gone the paths of documents to be forgotten */
  save(documents: readonly Synced[], gone: readonly string[] = []): void {
    const save = this.db.prepare('INSERT OR REPLACE INTO documents VALUES (?, ?, ?, ?, ?, ?)');
    transaction(this.db, () => {
      for (const { path, digest, version, pending, refused, own } of documents) {
        save.run(path, digest, version, pending, refused, own ? 1 : 0);
      }
      for (const path of gone) this.forget(path);
    });
  }

  forget(path: string): void {
    this.db.prepare('DELETE FROM documents WHERE path = ?').run(path);
  }

  close(): void {
    this.db.close();
  }
}

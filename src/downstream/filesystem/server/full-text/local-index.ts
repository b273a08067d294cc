import { rmSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { Logger } from '@nestjs/common';
import { StartError } from '../../../../config/start-error.js';
import { scrubSoon } from '../../../../storage/scrub.js';
import { openDatabase, transaction } from '../../../../storage/sqlite.js';
import { preparedBy } from '../../../../storage/statements.js';
import type { AnalysedDocument } from '../../../../text/analysed-document.js';
import {
  LEXICAL_AUTHORS_MIGRATION,
  LEXICAL_LABELS_MIGRATION,
  LEXICAL_LANGUAGES_MIGRATION,
  LEXICAL_MIGRATION,
  LEXICAL_PAGES_MIGRATION,
  LexicalIndex,
  type ProjectKey,
} from '../../../../text/lexical-index.js';

const MIGRATIONS = [
  LEXICAL_MIGRATION,
  LEXICAL_LANGUAGES_MIGRATION,
  LEXICAL_PAGES_MIGRATION,
  LEXICAL_AUTHORS_MIGRATION,
  `CREATE TABLE followed (
     user_id TEXT NOT NULL, project_id TEXT NOT NULL, change INTEGER NOT NULL, incarnation TEXT NOT NULL,
     PRIMARY KEY (user_id, project_id)) STRICT, WITHOUT ROWID;
   CREATE TABLE indexed (
     user_id TEXT NOT NULL, project_id TEXT NOT NULL, path TEXT NOT NULL, file TEXT NOT NULL,
     PRIMARY KEY (user_id, project_id, path)) STRICT, WITHOUT ROWID`,
  LEXICAL_LABELS_MIGRATION,
];

/** A point in the history of a project's documents. */
export interface Position {
  /** The number of the newest change. */
  change: number;
  /** Differs after the database was restarted, restored or replaced: then numbers may stand for other changes. */
  incarnation: string;
}

/**
 * The full-text index of one process, made from the documents of a database that several processes share. It holds
 * nothing that is not there, so a damaged file is replaced by an empty one.
 */
export class LocalIndex {
  readonly index: LexicalIndex;
  private readonly db: DatabaseSync;
  private readonly prepared: ReturnType<typeof preparedBy>;

  constructor(file: string) {
    this.db = openDerived(file);
    this.index = new LexicalIndex(this.db);
    this.prepared = preparedBy(this.db);
  }

  /** Undefined where the project has not been compared with the database yet. */
  position({ userId, projectId }: ProjectKey): Position | undefined {
    const sql = 'SELECT change, incarnation FROM followed WHERE user_id = ? AND project_id = ?';
    return this.prepared(sql).get(userId, projectId) as Position | undefined;
  }

  moveTo({ userId, projectId }: ProjectKey, { change, incarnation }: Position): void {
    this.prepared('INSERT OR REPLACE INTO followed VALUES (?, ?, ?, ?)').run(userId, projectId, change, incarnation);
  }

  /** @param document undefined where its text cannot be read: then it is found by nothing */
  put(key: ProjectKey, path: string, file: string, document: AnalysedDocument | undefined, storedMs: number): void {
    transaction(this.db, () => {
      if (document === undefined) this.index.remove(key, path);
      else this.index.put(key, document, storedMs);
      this.prepared('INSERT OR REPLACE INTO indexed VALUES (?, ?, ?, ?)').run(key.userId, key.projectId, path, file);
    });
    scrubSoon(this.db);
  }

  /** Sets the tags that a person gave to a document. */
  label(key: ProjectKey, path: string, tags: readonly string[]): void {
    transaction(this.db, () => this.index.label(key, path, tags));
  }

  /** Puts a document that was analysed again, unless it was changed meanwhile. */
  refresh(key: ProjectKey, document: AnalysedDocument, isCurrent: () => boolean): void {
    transaction(this.db, () => isCurrent() && this.index.put(key, document));
  }

  remove(key: ProjectKey, path: string): void {
    transaction(this.db, () => {
      this.index.remove(key, path);
      this.prepared('DELETE FROM indexed WHERE user_id = ? AND project_id = ? AND path = ?').run(
        ...[key.userId, key.projectId, path],
      );
    });
    scrubSoon(this.db);
  }

  drop(key: ProjectKey): void {
    const values = [key.userId, key.projectId];
    transaction(this.db, () => {
      this.index.dropProject(key);
      this.prepared('DELETE FROM indexed WHERE user_id = ? AND project_id = ?').run(...values);
      this.prepared('DELETE FROM followed WHERE user_id = ? AND project_id = ?').run(...values);
    });
    scrubSoon(this.db);
  }

  /** The file that a document's passages were made from. */
  fileOf({ userId, projectId }: ProjectKey, path: string): string | undefined {
    const sql = 'SELECT file FROM indexed WHERE user_id = ? AND project_id = ? AND path = ?';
    const row = this.prepared(sql).get(userId, projectId, path);
    return row === undefined ? undefined : String(row['file']);
  }

  /** The paths after `after`, up to and including `last` (undefined: all), in the order of their bytes. */
  paths({ userId, projectId }: ProjectKey, after: string, last: string | undefined): string[] {
    const rows = this.prepared(
      `SELECT path FROM indexed WHERE user_id = ?1 AND project_id = ?2 AND path > ?3 AND (?4 IS NULL OR path <= ?4)
         ORDER BY path`,
    ).all(userId, projectId, after, last ?? null);
    return rows.map((row) => String(row['path']));
  }

  /** How many documents of a project are in the index. */
  documents({ userId, projectId }: ProjectKey): number {
    const sql = 'SELECT count(*) AS total FROM indexed WHERE user_id = ? AND project_id = ?';
    return Number(this.prepared(sql).get(userId, projectId)?.['total']);
  }

  /** Whether anything of a project is here. */
  knows(key: ProjectKey): boolean {
    return this.position(key) !== undefined || this.documents(key) > 0;
  }

  projects(): ProjectKey[] {
    const rows = this.prepared(
      'SELECT user_id, project_id FROM followed UNION SELECT user_id, project_id FROM indexed',
    ).all();
    return rows.map((row) => ({ userId: String(row['user_id']), projectId: String(row['project_id']) }));
  }

  close(): void {
    this.db.close();
  }
}

/** A power cut may undo the newest changes, which are then made again: so no write waits for the disk. */
function openDerived(file: string): DatabaseSync {
  let db: DatabaseSync;
  try {
    db = openDatabase(file, MIGRATIONS);
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    new Logger('Filesystem').warn(`${error.message}. It is a derived index, so it is built anew`);
    for (const suffix of ['', '-wal', '-shm']) rmSync(file + suffix, { force: true });
    db = openDatabase(file, MIGRATIONS);
  }
  db.exec('PRAGMA synchronous = NORMAL');
  return db;
}

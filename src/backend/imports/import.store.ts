import { join } from 'node:path';
import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { z } from 'zod';
import { InjectConfig } from '../../config/config.module.js';
import type { Config } from '../../config/config.schema.js';
import { scrubSoon } from '../../storage/scrub.js';
import { openDatabase, transaction } from '../../storage/sqlite.js';

export const importSchema = z
  .object({
    import_id: z.string(),
    source: z.string(),
    branch: z.string().nullable(),
    /** `waiting`: a service is unavailable; the import resumes by itself. */
    state: z.enum(['running', 'waiting', 'done', 'failed']),
    imported_commits: z.int(),
    /** The number of documents that this import stored or deleted; unchanged ones are not counted. */
    documents: z.int(),
    /** The number of files that did not become documents. */
    skipped: z.int(),
    /** The first of them that are text. */
    skipped_documents: z.array(z.object({ path: z.string(), reason: z.string() }).meta({ title: 'SkippedDocument' })),
    /** Why it failed, or for which service it waits. */
    detail: z.string().nullable(),
  })
  .meta({ title: 'Import' });
export type ImportProgress = z.output<typeof importSchema>;

export interface ImportJob {
  readonly userId: string;
  readonly projectId: string;
  readonly progress: ImportProgress;
  /**
   * The version of each document before the import stored the first one. The changes of this import are found by
   * comparison.
   */
  before: ReadonlyMap<string, string> | null;
}

export const IMPORT_MIGRATIONS = [
  `CREATE TABLE imports (
     seq INTEGER PRIMARY KEY AUTOINCREMENT,
     user_id TEXT NOT NULL,
     project_id TEXT NOT NULL,
     import_id TEXT NOT NULL,
     progress TEXT NOT NULL,
     before TEXT,
     ended INTEGER NOT NULL DEFAULT 0,
     UNIQUE (user_id, project_id, import_id)
   ) STRICT;
   CREATE INDEX imports_ended ON imports (ended, user_id, seq)`,
  'ALTER TABLE imports ADD COLUMN starts INTEGER NOT NULL DEFAULT 0',
];
/** How many ended imports of one user are kept. */
const KEPT_PER_USER = 100;

type Row = Record<string, SQLOutputValue>;

/** The stored imports: running ones resume after a restart, ended ones can be read for some time. */
@Injectable()
export class ImportStore implements OnApplicationShutdown {
  private readonly db: DatabaseSync;

  constructor(@InjectConfig() config: Config) {
    this.db = openDatabase(join(config.data_dir, 'backend', 'imports.db'), IMPORT_MIGRATIONS);
  }

  onApplicationShutdown(): void {
    if (this.db.isOpen) this.db.close();
  }

  add({ userId, projectId, progress }: ImportJob): void {
    this.db
      .prepare('INSERT INTO imports (user_id, project_id, import_id, progress) VALUES (?, ?, ?, ?)')
      .run(userId, projectId, progress.import_id, JSON.stringify(progress));
  }

  find(userId: string, projectId: string, importId: string): ImportProgress | undefined {
    const row = this.db
      .prepare('SELECT * FROM imports WHERE user_id = ? AND project_id = ? AND import_id = ?')
      .get(userId, projectId, importId);
    return row && jobOf(row).progress;
  }

  unfinished(): ImportJob[] {
    return this.db.prepare('SELECT * FROM imports WHERE ended = 0 ORDER BY seq').all().map(jobOf);
  }

  /** Counts a resumption after a restart. @returns the number since the process last shut down in order */
  countStart({ userId, projectId, progress }: ImportJob): number {
    const row = this.db
      .prepare(
        'UPDATE imports SET starts = starts + 1 WHERE user_id = ? AND project_id = ? AND import_id = ? RETURNING starts',
      )
      .get(userId, projectId, progress.import_id);
    return Number(row?.['starts'] ?? 0);
  }

  resetStarts({ userId, projectId, progress }: ImportJob): void {
    if (!this.db.isOpen) return;
    this.db
      .prepare('UPDATE imports SET starts = 0 WHERE user_id = ? AND project_id = ? AND import_id = ?')
      .run(userId, projectId, progress.import_id);
  }

  countUnfinished(userId: string): number {
    const row = this.db.prepare('SELECT count(*) AS n FROM imports WHERE ended = 0 AND user_id = ?').get(userId);
    return Number(row?.['n']);
  }

  keepBefore({ userId, projectId, progress, before }: ImportJob): void {
    this.db
      .prepare('UPDATE imports SET before = ? WHERE user_id = ? AND project_id = ? AND import_id = ?')
      .run(before && JSON.stringify([...before]), userId, projectId, progress.import_id);
  }

  keepProgress({ userId, projectId, progress }: ImportJob): void {
    this.db
      .prepare('UPDATE imports SET progress = ? WHERE user_id = ? AND project_id = ? AND import_id = ?')
      .run(JSON.stringify(progress), userId, projectId, progress.import_id);
  }

  end({ userId, projectId, progress }: ImportJob): void {
    transaction(this.db, () => {
      this.db
        .prepare(
          `UPDATE imports SET progress = ?, before = NULL, ended = 1
             WHERE user_id = ? AND project_id = ? AND import_id = ?`,
        )
        .run(JSON.stringify(progress), userId, projectId, progress.import_id);
      this.db
        .prepare(
          `DELETE FROM imports WHERE seq IN
             (SELECT seq FROM imports WHERE ended = 1 AND user_id = ? ORDER BY seq DESC LIMIT -1 OFFSET ?)`,
        )
        .run(userId, KEPT_PER_USER);
    });
  }

  forget(userId: string, projectId: string): void {
    this.db.prepare('DELETE FROM imports WHERE user_id = ? AND project_id = ?').run(userId, projectId);
    scrubSoon(this.db);
  }
}

function jobOf(row: Row): ImportJob {
  const before = row['before'];
  return {
    userId: String(row['user_id']),
    projectId: String(row['project_id']),
    progress: importSchema.parse(JSON.parse(String(row['progress']))),
    before: before === null ? null : new Map(JSON.parse(String(before)) as [string, string][]),
  };
}

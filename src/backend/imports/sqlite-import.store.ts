import type { DatabaseSync } from 'node:sqlite';
import { scrubSoon } from '../../storage/scrub.js';
import { openDatabase, transaction } from '../../storage/sqlite.js';
import { preparedBy } from '../../storage/statements.js';
import {
  type ImportJob,
  type ImportProgress,
  type ImportRow,
  ImportStore,
  jobOf,
  KEPT_PER_USER,
  type TakenImport,
  takenOf,
} from './import.store.js';

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

const ONE = 'user_id = ? AND project_id = ? AND import_id = ?';
const nameOf = ({ userId, projectId, progress }: ImportJob) => [userId, projectId, progress.import_id] as const;

/** The embedded store. Its imports are all run by this process. */
export class SqliteImportStore extends ImportStore {
  private readonly db: DatabaseSync;
  private readonly prepared: ReturnType<typeof preparedBy>;

  constructor(file: string) {
    super();
    this.db = openDatabase(file, IMPORT_MIGRATIONS);
    this.prepared = preparedBy(this.db);
  }

  async add(job: ImportJob): Promise<void> {
    this.prepared('INSERT INTO imports (user_id, project_id, import_id, progress) VALUES (?, ?, ?, ?)').run(
      ...nameOf(job),
      JSON.stringify(job.progress),
    );
  }

  async find(userId: string, projectId: string, importId: string): Promise<ImportProgress | undefined> {
    const row = this.prepared(`SELECT * FROM imports WHERE ${ONE}`).get(userId, projectId, importId);
    return row && jobOf(row as unknown as ImportRow).progress;
  }

  async takeUnfinished(): Promise<TakenImport[]> {
    return transaction(this.db, () => {
      this.prepared('UPDATE imports SET starts = starts + 1 WHERE ended = 0').run();
      const rows = this.prepared('SELECT * FROM imports WHERE ended = 0 ORDER BY seq').all();
      return (rows as unknown as ImportRow[]).map(takenOf);
    });
  }

  async handOver(job: ImportJob): Promise<void> {
    if (this.db.isOpen) this.prepared(`UPDATE imports SET starts = 0 WHERE ${ONE}`).run(...nameOf(job));
  }

  async countUnfinished(userId: string): Promise<number> {
    const row = this.prepared('SELECT count(*) AS n FROM imports WHERE ended = 0 AND user_id = ?').get(userId);
    return Number(row?.['n']);
  }

  async keepBefore(job: ImportJob): Promise<boolean> {
    const before = job.before && JSON.stringify([...job.before]);
    return this.prepared(`UPDATE imports SET before = ? WHERE ${ONE}`).run(before, ...nameOf(job)).changes === 1;
  }

  async keepProgress(job: ImportJob): Promise<boolean> {
    const progress = JSON.stringify(job.progress);
    return this.prepared(`UPDATE imports SET progress = ? WHERE ${ONE}`).run(progress, ...nameOf(job)).changes === 1;
  }

  async end(job: ImportJob): Promise<void> {
    transaction(this.db, () => {
      this.prepared(`UPDATE imports SET progress = ?, before = NULL, ended = 1 WHERE ${ONE}`).run(
        JSON.stringify(job.progress),
        ...nameOf(job),
      );
      this.prepared(
        `DELETE FROM imports WHERE seq IN
           (SELECT seq FROM imports WHERE ended = 1 AND user_id = ? ORDER BY seq DESC LIMIT -1 OFFSET ?)`,
      ).run(job.userId, KEPT_PER_USER);
    });
  }

  async forget(userId: string, projectId: string): Promise<void> {
    this.prepared('DELETE FROM imports WHERE user_id = ? AND project_id = ?').run(userId, projectId);
    scrubSoon(this.db);
  }

  async close(): Promise<void> {
    if (this.db.isOpen) this.db.close();
  }
}

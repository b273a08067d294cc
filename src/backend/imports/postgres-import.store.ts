import type { Replicas } from '../../replicas/replicas.js';
import type { Postgres } from '../../storage/postgres/postgres.js';
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

type Row = ImportRow & Record<string, unknown>;

const IDEMPOTENT = { isIdempotent: true };
const ONE = 'user_id = $1 AND project_id = $2 AND import_id = $3';
const nameOf = ({ userId, projectId, progress }: ImportJob) => [userId, projectId, progress.import_id];

/** The imports in PostgreSQL, shared by several backends. Each is run by one of them, and taken over when that one ends. */
export class PostgresImportStore extends ImportStore {
  constructor(
    private readonly db: Postgres,
    private readonly replicas: Replicas,
  ) {
    super();
    replicas.onDead(async (session, dead) => {
      await session.query('UPDATE imports SET owner = NULL WHERE owner = $1', [dead]);
    });
  }

  override watch(listener: () => void): void {
    this.replicas.onBeat(async () => {
      const { rows } = await this.db.read<{ any: boolean }>(
        'SELECT EXISTS (SELECT FROM imports WHERE NOT ended AND owner IS NULL) AS any',
      );
      if (rows[0]?.any) listener();
    });
  }

  async add(job: ImportJob): Promise<void> {
    await this.db.write(
      `INSERT INTO imports (user_id, project_id, import_id, progress, owner) VALUES ($1, $2, $3, $4, $5)
       ON CONFLICT (user_id, project_id, import_id) DO NOTHING`,
      [...nameOf(job), JSON.stringify(job.progress), this.replicas.id],
      IDEMPOTENT,
    );
  }

  async find(userId: string, projectId: string, importId: string): Promise<ImportProgress | undefined> {
    const { rows } = await this.db.read<Row>(`SELECT * FROM imports WHERE ${ONE}`, [userId, projectId, importId]);
    return rows[0] && jobOf(rows[0]).progress;
  }

  async takeUnfinished(): Promise<TakenImport[]> {
    const { rows } = await this.db.write<Row>(
      `WITH free AS (
         SELECT seq FROM imports WHERE NOT ended AND owner IS NULL FOR UPDATE SKIP LOCKED
       ), taken AS (
         UPDATE imports i SET owner = $1, starts = starts + 1 FROM free WHERE i.seq = free.seq RETURNING i.*
       )
       SELECT * FROM taken ORDER BY seq`,
      [this.replicas.id],
    );
    return rows.map(takenOf);
  }

  async handOver(job: ImportJob): Promise<void> {
    await this.change(job, 'starts = 0, owner = NULL');
  }

  async countUnfinished(userId: string): Promise<number> {
    const sql = 'SELECT count(*) AS n FROM imports WHERE NOT ended AND user_id = $1';
    return (await this.db.read<{ n: number }>(sql, [userId])).rows[0]?.n ?? 0;
  }

  keepBefore(job: ImportJob): Promise<boolean> {
    return this.change(job, 'before = $5', job.before && JSON.stringify([...job.before]));
  }

  keepProgress(job: ImportJob): Promise<boolean> {
    return this.change(job, 'progress = $5', JSON.stringify(job.progress));
  }

  async end(job: ImportJob): Promise<void> {
    await this.change(job, 'progress = $5, before = NULL, ended = true, owner = NULL', JSON.stringify(job.progress));
    await this.db.write(
      `DELETE FROM imports WHERE seq IN
         (SELECT seq FROM imports WHERE ended AND user_id = $1 ORDER BY seq DESC OFFSET $2)`,
      [job.userId, KEPT_PER_USER],
      IDEMPOTENT,
    );
  }

  async forget(userId: string, projectId: string): Promise<void> {
    const sql = 'DELETE FROM imports WHERE user_id = $1 AND project_id = $2';
    await this.db.write(sql, [userId, projectId], IDEMPOTENT);
  }

  /** The connections belong to the module that opened them. */
  async close(): Promise<void> {
    return undefined;
  }

  /** @returns false where this replica does not run the import */
  private async change(job: ImportJob, set: string, ...values: unknown[]): Promise<boolean> {
    const sql = `UPDATE imports SET ${set} WHERE ${ONE} AND owner = $4`;
    const { rowCount } = await this.db.write(sql, [...nameOf(job), this.replicas.id, ...values], IDEMPOTENT);
    return rowCount === 1;
  }
}

import type { Postgres } from '../../storage/postgres/postgres.js';
import { type AuditRecord, auditRecordSchema, AuditStore } from './audit-store.js';

const APPEND = 'INSERT INTO audit (id, time, record) VALUES ($1, $2, $3) ON CONFLICT (id) DO NOTHING';
const SINCE = 'SELECT record FROM audit WHERE time >= $1 ORDER BY time, seq LIMIT $2';
const NEWEST = 'SELECT record FROM audit ORDER BY time DESC, seq DESC LIMIT $1';

/** A table that several backends share. The database itself refuses to change its rows, and to delete new ones. */
export class PostgresAuditStore extends AuditStore {
  constructor(private readonly db: Postgres) {
    super();
  }

  async append(record: AuditRecord): Promise<void> {
    await this.db.write(APPEND, [record.id, record.time, JSON.stringify(record)], { isIdempotent: true });
  }

  async list(since: string | undefined, limit: number): Promise<AuditRecord[]> {
    const read = (sql: string, values: unknown[]) => this.db.read<{ record: string }>(sql, values);
    const { rows } = since === undefined ? await read(NEWEST, [limit]) : await read(SINCE, [since, limit]);
    const records = rows.map(({ record }) => auditRecordSchema.parse(JSON.parse(record)));
    return since === undefined ? records.reverse() : records;
  }

  async purge(before: string): Promise<void> {
    await this.db.write('DELETE FROM audit WHERE time < $1', [before.slice(0, 10)], { isIdempotent: true });
  }
}

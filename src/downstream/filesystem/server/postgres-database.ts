import { join } from 'node:path';
import type { QueryResultRow } from 'pg';
import type { Part } from '../../../storage/postgres/open-postgres.js';
import type { Postgres, Session } from '../../../storage/postgres/postgres.js';
import { decodedText, encodedText } from '../../../storage/postgres/text-encoding.js';

/** The filesystem server's part of the PostgreSQL database. */
export const FILESYSTEM_PART: Part = { namespace: 'filesystem', migrations: join(import.meta.dirname, 'migrations') };

/**
 * {@link Postgres} for texts of people, which may hold U+0000: every text is encoded on the way there and decoded on the way
 * back.
 */
export class PostgresDatabase {
  constructor(private readonly postgres: Postgres) {}

  async read<Row extends QueryResultRow>(sql: string, values: readonly unknown[] = []): Promise<Row[]> {
    return decodedRows((await this.postgres.read<Row>(sql, values.map(encoded))).rows);
  }

  /** The number of rows that one changing statement concerned. */
  async write(sql: string, values: readonly unknown[]): Promise<number> {
    return (await this.postgres.write(sql, values.map(encoded))).rowCount ?? 0;
  }

  transaction<T>(work: (session: TextSession) => Promise<T>): Promise<T> {
    return this.postgres.transaction((session) => work(new TextSession(session)));
  }
}

/** One transaction. */
export class TextSession {
  constructor(private readonly session: Session) {}

  async query<Row extends QueryResultRow = QueryResultRow>(
    sql: string,
    values: readonly unknown[] = [],
  ): Promise<Row[]> {
    return decodedRows((await this.session.query<Row>(sql, values.map(encoded))).rows);
  }

  async first<Row extends QueryResultRow>(sql: string, values: readonly unknown[] = []): Promise<Row | undefined> {
    return (await this.query<Row>(sql, values))[0];
  }
}

function encoded(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(encoded);
  return typeof value === 'string' ? encodedText(value) : value;
}

function decodedRows<Row extends QueryResultRow>(rows: Row[]): Row[] {
  for (const row of rows) {
    for (const [column, value] of Object.entries(row)) {
      if (typeof value === 'string') (row as QueryResultRow)[column] = decodedText(value);
    }
  }
  return rows;
}

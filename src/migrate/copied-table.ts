import { createHash } from 'node:crypto';
import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import type { Postgres } from '../storage/postgres/postgres.js';
import { decodedText, encodedText } from '../storage/postgres/text-encoding.js';
import { transaction } from '../storage/sqlite.js';

type Value = string | number | boolean | null;
export type Row = Readonly<Record<string, Value>>;

/**
 * A column of both stores. `boolean` is 0 or 1 in SQLite; `json` is a text that PostgreSQL has as JSON, `encoded` one that
 * it has in the form of {@link encodedText}.
 */
type Kind = 'text' | 'encoded' | 'integer' | 'real' | 'boolean' | 'json';

/** The two stores differ after a copy: rows that were copied before were changed since. */
export class CopyDiffers extends Error {}

/** A table that is copied between SQLite and PostgreSQL. */
export interface CopiedTable {
  name: string;
  columns: Readonly<Record<string, Kind>>;
  /** The columns that identify a row; rows are copied in their order. */
  key: readonly string[];
  /** A query in place of the table in SQLite, for one that exists in PostgreSQL alone. */
  sqliteQuery?: string;
  /** The form of a row in which both stores are compared, and in which it is copied. */
  canonical?: (row: Row) => Row;
}

export interface Copied {
  rows: number;
  copied: number;
  sha256: string;
}

/** The line for the operator about a copied table. */
export const copiedLine = (name: string, to: 'postgres' | 'sqlite', { rows, copied, sha256 }: Copied) =>
  `${name}: ${rows} rows in ${to}, ${copied} of them copied now; equal (sha256 ${sha256.slice(0, 16)})`;

/** Its rows in the order of the key, from the one after `after` on. */
type Read = (after: Row | undefined) => Promise<Row[]>;
/** Writes rows that are not there yet, and returns how many they were. */
type Write = (rows: readonly Row[]) => Promise<number>;

const BATCH = 500;

/**
 * Copies the rows that are not in PostgreSQL yet.
 * @throws Error where the two differ afterwards
 */
export async function copyToPostgres(table: CopiedTable, from: DatabaseSync, to: Postgres): Promise<Copied> {
  const copied = await copy(table, sqliteReader(table, from), postgresWriter(table, to));
  if ('seq' in table.columns) {
    await to.write(`SELECT setval(pg_get_serial_sequence('${table.name}', 'seq'), coalesce(max(seq), 0) + 1, false)
                    FROM ${table.name}`);
  }
  return compared(table, copied, await digest(table, postgresReader(table, to)));
}

/**
 * Copies the rows that are not in SQLite yet.
 * @throws Error where the two differ afterwards
 */
export async function copyToSqlite(table: CopiedTable, from: Postgres, to: DatabaseSync): Promise<Copied> {
  const copied = await copy(table, postgresReader(table, from), sqliteWriter(table, to));
  return compared(table, copied, await digest(table, sqliteReader(table, to)));
}

async function copy(table: CopiedTable, read: Read, write: Write): Promise<Copied> {
  let copied = 0;
  const found = await digest(table, read, async (rows) => void (copied += await write(rows)));
  return { ...found, copied };
}

function compared({ name }: CopiedTable, from: Copied, to: Omit<Copied, 'copied'>): Copied {
  if (from.rows === to.rows && from.sha256 === to.sha256) return from;
  throw new CopyDiffers(
    `${name}: ${from.rows} rows were to be there, and ${to.rows} are${from.rows === to.rows ? ', with other contents' : ''}: the target was used before; empty it, and repeat the command`,
  );
}

async function digest(
  { columns, canonical = (row) => row }: CopiedTable,
  read: Read,
  each: (rows: readonly Row[]) => Promise<void> = async () => undefined,
): Promise<Omit<Copied, 'copied'>> {
  const hash = createHash('sha256');
  let rows = 0;
  for (let batch = await read(undefined); batch.length > 0; batch = await read(batch.at(-1))) {
    const given = batch.map(canonical);
    for (const row of given) hash.update(JSON.stringify(Object.keys(columns).map((column) => row[column])));
    await each(given);
    rows += batch.length;
  }
  return { rows, sha256: hash.digest('hex') };
}

function sqliteReader({ name, columns, key, sqliteQuery = name }: CopiedTable, db: DatabaseSync): Read {
  const names = Object.keys(columns);
  const select = `SELECT ${names.join(', ')} FROM ${sqliteQuery}`;
  const rest = `ORDER BY ${key.join(', ')} LIMIT ${BATCH}`;
  const next = `WHERE (${key.join(', ')}) > (${key.map(() => '?').join(', ')})`;
  return async (after) => {
    const rows =
      after === undefined
        ? db.prepare(`${select} ${rest}`).all()
        : db.prepare(`${select} ${next} ${rest}`).all(...key.map((column) => after[column] as SQLInputValue));
    return rows.map((row) =>
      mapped(columns, row, (kind, value) => (kind === 'boolean' ? value === 1 : value) as Value),
    );
  };
}

function sqliteWriter({ name, columns }: CopiedTable, db: DatabaseSync): Write {
  const names = Object.keys(columns);
  return async (rows) =>
    transaction(db, () => {
      const insert = db.prepare(
        `INSERT OR IGNORE INTO ${name} (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`,
      );
      return rows.reduce((written, row) => {
        const values = names.map((column) =>
          typeof row[column] === 'boolean' ? Number(row[column]) : (row[column] ?? null),
        );
        return written + Number(insert.run(...values).changes);
      }, 0);
    });
}

function postgresReader({ name, columns, key }: CopiedTable, db: Postgres): Read {
  // SQLite compares texts byte by byte.
  const ordered = key
    .map((column) => (/^(?:text|encoded)$/.test(columns[column] ?? '') ? `${column} COLLATE "C"` : column))
    .join(', ');
  const select = `SELECT ${Object.keys(columns).join(', ')} FROM ${name}`;
  const next = `WHERE (${ordered}) > (${key.map((_, index) => `$${index + 1}`).join(', ')})`;
  return async (after) => {
    const { rows } = await db.read(
      `${select} ${after === undefined ? '' : next} ORDER BY ${ordered} LIMIT ${BATCH}`,
      after === undefined ? [] : key.map((column) => toPostgres(columns[column], after[column])),
    );
    return rows.map((row: Record<string, unknown>) => mapped(columns, row, fromPostgres));
  };
}

const TYPES: Record<Kind, string> = {
  ...{ text: 'text', encoded: 'text', json: 'text', integer: 'bigint', real: 'double precision', boolean: 'boolean' },
};

/** The form that PostgreSQL has of a text. */
function toPostgres(kind: Kind | undefined, value: Value | undefined): Value {
  if (kind === 'encoded') return typeof value === 'string' ? encodedText(value) : (value ?? null);
  return kind === 'json' && value !== null && value !== undefined ? JSON.stringify(value) : (value ?? null);
}

function fromPostgres(kind: Kind, value: unknown): Value {
  if (kind === 'encoded') return typeof value === 'string' ? decodedText(value) : (value as Value);
  return (kind === 'json' && value !== null ? JSON.parse(value as string) : value) as Value;
}

function postgresWriter({ name, columns }: CopiedTable, db: Postgres): Write {
  const kinds = Object.entries(columns);
  const sql = `INSERT INTO ${name} (${Object.keys(columns).join(', ')})
    SELECT * FROM unnest(${kinds.map(([, kind], index) => `$${index + 1}::${TYPES[kind]}[]`).join(', ')})
    ON CONFLICT DO NOTHING`;
  return async (rows) => {
    const values = kinds.map(([column, kind]) => rows.map((row) => toPostgres(kind, row[column])));
    return (await db.write(sql, values, { isIdempotent: true })).rowCount ?? 0;
  };
}

function mapped(
  columns: CopiedTable['columns'],
  row: Record<string, unknown>,
  of: (kind: Kind, value: unknown) => Value,
): Row {
  return Object.fromEntries(Object.entries(columns).map(([column, kind]) => [column, of(kind, row[column])]));
}

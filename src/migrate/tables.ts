import { createHash } from 'node:crypto';
import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import { StartError } from '../config/start-error.js';
import { transaction } from '../storage/sqlite.js';

const PAGE_ROWS = 500;

/** A table with the same columns in both engines. */
export interface Table {
  name: string;
  /** The columns by which its rows are read in order; no two rows have the same. */
  key: readonly string[];
  /** Its other columns. */
  columns: readonly string[];
}

/** The values of a row: those of the key, then the others. Booleans are 0 and 1. */
export type Row = readonly (string | number | null)[];

/** One of the two databases. */
export interface TableStore {
  /** The rows after a key (undefined: from the first), in the order of the key. */
  page(table: Table, after: Row | undefined, limit: number): Promise<Row[]>;
  write(table: Table, rows: readonly Row[]): Promise<void>;
  /** The last row in the order of the key. */
  last(table: Table): Promise<Row | undefined>;
  clear(table: Table): Promise<void>;
}

/**
 * Copies tables, each after those that it refers to. An interrupted copy is continued. Afterwards the number of rows and
 * the SHA-256 over all of them are compared; where the source was changed meanwhile, everything is copied once more.
 * @throws StartError where they differ after that
 */
export async function copyTables(
  tables: readonly Table[],
  from: TableStore,
  to: TableStore,
  print: (line: string) => void,
): Promise<void> {
  for (let isRepeated = false; ; isRepeated = true) {
    for (const table of tables) await copyTable(table, from, to);
    const different: string[] = [];
    for (const table of tables) {
      const [source, copy] = [await digestOf(table, from), await digestOf(table, to)];
      if (source.rows !== copy.rows || source.sha256 !== copy.sha256) different.push(table.name);
      else print(`${table.name}: ${copy.rows} rows, SHA-256 ${copy.sha256.slice(0, 16)}`);
    }
    if (different.length === 0) return;
    if (isRepeated) throw new StartError(`the copy differs in ${different.join(', ')}; repeat the command`);
    print(`${different.join(', ')}: the source was changed since the copy was begun, so all is copied again`);
    for (const table of tables.toReversed()) await to.clear(table);
  }
}

async function copyTable(table: Table, from: TableStore, to: TableStore): Promise<void> {
  let after = await to.last(table);
  for (let full = true; full;) {
    const rows = await from.page(table, after, PAGE_ROWS);
    if (rows.length > 0) await to.write(table, rows);
    after = rows.at(-1) ?? after;
    full = rows.length === PAGE_ROWS;
  }
}

async function digestOf(table: Table, store: TableStore): Promise<{ rows: number; sha256: string }> {
  const hash = createHash('sha256');
  let count = 0;
  for (let after: Row | undefined, full = true; full;) {
    const rows = await store.page(table, after, PAGE_ROWS);
    for (const row of rows) hash.update(`${JSON.stringify(row)}\n`);
    count += rows.length;
    after = rows.at(-1) ?? after;
    full = rows.length === PAGE_ROWS;
  }
  return { rows: count, sha256: hash.digest('hex') };
}

const columnsOf = ({ key, columns }: Table) => [...key, ...columns];

export class SqliteTables implements TableStore {
  constructor(private readonly db: DatabaseSync) {}

  async page(table: Table, after: Row | undefined, limit: number): Promise<Row[]> {
    const key = table.key.join(', ');
    const where = after === undefined ? '' : `WHERE (${key}) > (${table.key.map(() => '?').join(', ')})`;
    const sql = `SELECT ${columnsOf(table).join(', ')} FROM ${table.name} ${where} ORDER BY ${key} LIMIT ?`;
    const statement = this.db.prepare(sql);
    statement.setReturnArrays(true);
    return statement.all(...(after ?? []).slice(0, table.key.length), limit) as unknown as Row[];
  }

  async write(table: Table, rows: readonly Row[]): Promise<void> {
    const columns = columnsOf(table);
    const insert = this.db.prepare(
      `INSERT INTO ${table.name} (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`,
    );
    transaction(this.db, () => {
      for (const row of rows) insert.run(...(row as SQLInputValue[]));
    });
  }

  async last(table: Table): Promise<Row | undefined> {
    const order = table.key.map((column) => `${column} DESC`).join(', ');
    const statement = this.db.prepare(
      `SELECT ${columnsOf(table).join(', ')} FROM ${table.name} ORDER BY ${order} LIMIT 1`,
    );
    statement.setReturnArrays(true);
    return statement.get() as unknown as Row | undefined;
  }

  async clear({ name }: Table): Promise<void> {
    this.db.exec(`DELETE FROM ${name}`);
  }
}

/** Runs a statement and returns its rows. */
export type Query = (sql: string, values: readonly unknown[]) => Promise<Record<string, unknown>[]>;

export class PostgresTables implements TableStore {
  constructor(private readonly query: Query) {}

  async page(table: Table, after: Row | undefined, limit: number): Promise<Row[]> {
    const key = table.key.join(', ');
    const places = table.key.map((_, i) => `$${i + 2}`).join(', ');
    const where = after === undefined ? '' : `WHERE (${key}) > (${places})`;
    const sql = `SELECT ${columnsOf(table).join(', ')} FROM ${table.name} ${where} ORDER BY ${key} LIMIT $1`;
    const values = [limit, ...(after ?? []).slice(0, table.key.length)];
    return (await this.query(sql, values)).map((row) => rowOf(table, row));
  }

  /** Each column is one array, so that the number of parameters does not depend on the number of rows. */
  async write(table: Table, rows: readonly Row[]): Promise<void> {
    const columns = columnsOf(table);
    const [types] = await this.query(
      `SELECT array_agg(format_type(atttypid, NULL) ORDER BY array_position($2::text[], attname::text)) AS types
         FROM pg_attribute WHERE attrelid = $1::regclass AND attname = ANY($2)`,
      [table.name, columns],
    );
    const arrays = (types?.['types'] as string[]).map((type, i) => `$${i + 1}::${type}[]`);
    await this.query(
      `INSERT INTO ${table.name} (${columns.join(', ')}) SELECT * FROM unnest(${arrays.join(', ')})`,
      columns.map((_, i) => rows.map((row) => row[i] ?? null)),
    );
  }

  async last(table: Table): Promise<Row | undefined> {
    const order = table.key.map((column) => `${column} DESC`).join(', ');
    const sql = `SELECT ${columnsOf(table).join(', ')} FROM ${table.name} ORDER BY ${order} LIMIT 1`;
    const [row] = await this.query(sql, []);
    return row === undefined ? undefined : rowOf(table, row);
  }

  async clear({ name }: Table): Promise<void> {
    await this.query(`DELETE FROM ${name}`, []);
  }
}

function rowOf(table: Table, row: Record<string, unknown>): Row {
  return columnsOf(table).map((column) => {
    const value = row[column];
    return typeof value === 'boolean' ? Number(value) : (value as Row[number]);
  });
}

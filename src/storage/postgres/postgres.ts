import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { StorageUnavailable } from '../storage-errors.js';
import { connectionOf } from './connection.js';
import { endsConnection, storageError } from './postgres-errors.js';
import type { PostgresSettings } from './settings.js';

/** How often a transaction or a read is tried in all. */
const ATTEMPTS = 3;
const RETRY_MS = 50;

/** Runs one statement, in which `$1`, `$2` … stand for `values`. `bigint` and `numeric` columns come as numbers. */
export interface Session {
  query<Row extends pg.QueryResultRow = pg.QueryResultRow>(
    sql: string,
    values?: readonly unknown[],
  ): Promise<pg.QueryResult<Row>>;
}

/**
 * One process's part of a PostgreSQL database: a name of a table without a schema means one of the schema `namespace`.
 * Every method throws `StorageUnavailable` where the database is unreachable, locked or too slow, and an error for which
 * `isStorageFull` is true where its disk is full. Lost connections are replaced at the next use.
 */
export class Postgres {
  private readonly pool: pg.Pool;

  /** @param warn gets a message for each connection that was lost while it was not used */
  constructor(
    settings: PostgresSettings,
    readonly namespace: string,
    warn: (message: string) => void,
  ) {
    this.pool = new pg.Pool(connectionOf(settings, namespace));
    this.pool.on('error', (error) => warn(`PostgreSQL: an idle connection was lost: ${error.message}`));
    // A connection may be lost between two statements: without a listener of its own the event would end the process.
    this.pool.on('connect', (client) => client.on('error', () => undefined));
  }

  /** Runs one statement that changes nothing; it is repeated where the connection was lost. */
  read<Row extends pg.QueryResultRow>(sql: string, values: readonly unknown[] = []): Promise<pg.QueryResult<Row>> {
    return repeated(() => this.withConnection((connection) => connection.query<Row>(sql, values)));
  }

  /**
   * Runs one statement that changes something. Where the connection is lost before the answer, the statement may or may not
   * have been executed; an idempotent one is repeated then.
   */
  write<Row extends pg.QueryResultRow>(
    sql: string,
    values: readonly unknown[] = [],
    { isIdempotent = false } = {},
  ): Promise<pg.QueryResult<Row>> {
    if (isIdempotent) return this.read(sql, values);
    return this.withConnection((connection) => connection.query<Row>(sql, values));
  }

  /**
   * Runs `work` in one transaction (READ COMMITTED), which is rolled back when `work` throws. It is repeated after a
   * deadlock, and where the connection is lost before COMMIT was sent: so `work` may run several times, and must not change
   * anything but the database. A connection lost during COMMIT is an error; the changes may have been made.
   */
  transaction<T>(work: (session: Session) => Promise<T>): Promise<T> {
    return repeated(() => this.withConnection((connection) => inTransaction(connection, work)));
  }

  async close(): Promise<void> {
    if (!this.pool.ending) await this.pool.end();
  }

  private async withConnection<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    const client = await this.pool.connect().catch((error: unknown) => {
      throw storageError(error);
    });
    const connection = new Connection(client);
    try {
      return await work(connection);
    } finally {
      connection.release();
    }
  }
}

class Connection implements Session {
  /** The connection ended or is in an unknown state. */
  lost = false;

  constructor(private readonly client: pg.PoolClient) {
    client.once('error', this.onLost);
  }

  /** Fails without sending anything where the connection has been lost. */
  assertUsable(): void {
    if (this.lost) throw new StorageUnavailable('The connection to PostgreSQL was lost', { isRepeatable: true });
  }

  release(): void {
    this.client.off('error', this.onLost);
    this.client.release(this.lost);
  }

  private readonly onLost = () => {
    this.lost = true;
  };

  async query<Row extends pg.QueryResultRow>(sql: string, values: readonly unknown[] = []) {
    this.assertUsable();
    try {
      return await this.client.query<Row>({ name: nameOf(sql), text: sql, values: [...values] });
    } catch (error) {
      this.lost ||= endsConnection(error);
      throw storageError(error);
    }
  }
}

const names = new Map<string, string>();

/**
 * A statement with a name is parsed and planned once for each connection, which takes longer than most of them run. The
 * texts of statements are constants, so they are few.
 */
function nameOf(sql: string): string {
  let name = names.get(sql);
  if (name === undefined) names.set(sql, (name = `s${names.size}`));
  return name;
}

async function inTransaction<T>(connection: Connection, work: (session: Session) => Promise<T>): Promise<T> {
  await connection.query('BEGIN');
  let result: T;
  try {
    result = await work(connection);
  } catch (error) {
    if (!connection.lost) await connection.query('ROLLBACK');
    throw error;
  }
  connection.assertUsable();
  const { command } = await connection.query('COMMIT').catch((error: unknown) => {
    if (!connection.lost) throw error;
    throw new StorageUnavailable('The connection was lost during COMMIT', { isRepeatable: false, cause: error });
  });
  if (command !== 'COMMIT') throw new Error('A statement of this transaction had failed, so it was rolled back');
  return result;
}

async function repeated<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof StorageUnavailable && error.isRepeatable) || attempt === ATTEMPTS) throw error;
      await sleep(RETRY_MS * attempt);
    }
  }
}

import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { runner } from 'node-pg-migrate';
import pg from 'pg';
import { StartError } from '../../config/start-error.js';
import { addressOf } from './address.js';
import { connectionOf } from './connection.js';
import { Postgres } from './postgres.js';
import { isAnswer, reasonOf } from './postgres-errors.js';
import type { PostgresSettings } from './settings.js';

const MIGRATIONS_TABLE = 'migrations';
const RETRY_MS = 1000;
/** How long a start waits for the migration that another process runs. */
const MIGRATION_MS = 600_000;

/** One process's part of the database. */
export interface Part {
  /** The PostgreSQL schema with its tables. */
  namespace: string;
  /** The folder of its numbered SQL files, such as `001_ledger.sql`. A file that was ever released is never edited. */
  migrations: string;
}

type Warn = (message: string) => void;

/**
 * Connects to the database and migrates the part of one process. Waits while the database is unreachable.
 * @throws StartError where the database refuses (password, database, certificate), a migration fails, or the schema is newer
 */
export async function openPostgres(settings: PostgresSettings, part: Part, warn: Warn): Promise<Postgres> {
  for (let failures = 0; ; failures++) {
    try {
      await migratePostgres(settings, part);
      return new Postgres(settings, part.namespace, warn);
    } catch (error) {
      if (error instanceof StartError) throw error;
      // One line for each minute of an outage.
      if (failures % 60 === 0) warn(`${unreachable(settings, error)}; trying again every ${RETRY_MS / 1000} s`);
      await sleep(RETRY_MS);
    }
  }
}

/**
 * Brings the schema of one part to this release, once, under an advisory lock.
 * @returns the names of the migrations that were applied now
 * @throws StartError as {@link openPostgres}; another Error where the database is unreachable
 */
export async function migratePostgres(settings: PostgresSettings, { namespace, migrations }: Part): Promise<string[]> {
  const client = await connected(settings, namespace);
  try {
    await requireSearchPath(client, settings, namespace);
    return await migrateWith(client, namespace, migrations);
  } catch (error) {
    if (error instanceof StartError || isUnavailable(error)) throw error;
    throw refusal(settings, `the schema "${namespace}" can't be migrated: ${reasonOf(error)}`);
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** A connection without the pool's limits of time: migrations may be long. */
async function connected(settings: PostgresSettings, namespace: string): Promise<pg.Client> {
  try {
    const client = new pg.Client({
      ...connectionOf(settings, namespace),
      ...{ statement_timeout: MIGRATION_MS, query_timeout: MIGRATION_MS, lock_timeout: MIGRATION_MS },
      idle_in_transaction_session_timeout: MIGRATION_MS,
    });
    // Statements report the loss of their connection themselves.
    client.on('error', () => undefined);
    await client.connect();
    return client;
  } catch (error) {
    if (isUnavailable(error)) throw error;
    throw refusal(settings, reasonOf(error));
  }
}

/** A pooler such as PgBouncer may drop the options of a connection: the tables would be those of another schema. */
async function requireSearchPath(client: pg.Client, settings: PostgresSettings, namespace: string): Promise<void> {
  const { rows } = await client.query<{ search_path: string }>('SHOW search_path');
  if (rows[0]?.search_path === namespace) return;
  throw refusal(
    settings,
    `a pooler drops the option search_path=${namespace}; name the database itself, not the pooler`,
  );
}

async function migrateWith(client: pg.Client, namespace: string, dir: string): Promise<string[]> {
  const applied = await runner({
    dbClient: client,
    dir,
    direction: 'up',
    schema: namespace,
    createSchema: true,
    migrationsTable: MIGRATIONS_TABLE,
    lockValue: lockOf(namespace),
    advisoryLockMode: 'wait',
    singleTransaction: true,
    logger: { info: () => undefined, warn: () => undefined, error: () => undefined },
  });
  const known = new Set((await readdir(dir)).map((file) => file.replace(/\.sql$/, '')));
  const { rows } = await client.query<{ name: string }>(`SELECT name FROM ${MIGRATIONS_TABLE} ORDER BY id`);
  const newer = rows.filter(({ name }) => !known.has(name)).map(({ name }) => name);
  if (newer.length > 0) {
    const last = [...known].sort().at(-1);
    throw new StartError(
      `DATABASE_URL: the schema "${namespace}" was migrated by a newer release (${newer.join(', ')}); this release knows ${last} at most`,
    );
  }
  return applied.map(({ name }) => name);
}

/** Different for each namespace: processes do not wait for each other's migrations. */
function lockOf(namespace: string): number {
  return createHash('sha256').update(`caudex ${namespace}`).digest().readUInt32BE();
}

/**
 * Codes of errors that end without a change of the settings; every other one is a refusal. With 08P01 a pooler refuses the
 * options of the connection.
 */
const PASSING = /^(?:ECONN|EPIPE|ETIMEDOUT|EHOST|ENET|EAI_AGAIN|ENOTFOUND|08(?!P01)|53|57P)/;

function isUnavailable(error: unknown): boolean {
  const { code, errors } = error as { code?: unknown; errors?: unknown[] };
  if (errors?.[0] !== undefined) return isUnavailable(errors[0]);
  if (typeof code === 'string') return PASSING.test(code);
  return !isAnswer(error) && /timeout|Connection terminated|not queryable/i.test(reasonOf(error));
}

const refusal = (settings: PostgresSettings, why: string) =>
  new StartError(`DATABASE_URL: PostgreSQL at ${addressOf(settings.url)} refused: ${why}`);

const unreachable = (settings: PostgresSettings, error: unknown) =>
  `DATABASE_URL: PostgreSQL at ${addressOf(settings.url)} is unreachable (${reasonOf(error)})`;

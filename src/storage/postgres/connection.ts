import pg from 'pg';
import type { PostgresSettings } from './settings.js';

/** The driver's options for connections whose tables are those of the schema `namespace`. */
export function connectionOf(settings: PostgresSettings, namespace: string): pg.PoolConfig {
  return {
    connectionString: withSearchPath(settings.url, namespace),
    application_name: `caudex-${namespace}`,
    max: settings.max_connections,
    // One stays open while the process is idle: migrate-data finds by it that the database is in use.
    min: 1,
    connectionTimeoutMillis: settings.connect_timeout_ms,
    idleTimeoutMillis: settings.idle_ms,
    lock_timeout: settings.lock_timeout_ms,
    statement_timeout: settings.statement_timeout_ms,
    // The server's limit comes first, unless the network or the server hangs.
    query_timeout: settings.statement_timeout_ms + settings.connect_timeout_ms,
    idle_in_transaction_session_timeout: settings.statement_timeout_ms,
    keepAlive: true,
    types: { getTypeParser },
  };
}

/** Options in the URL override all others, so this one is added to them. */
function withSearchPath(url: string, namespace: string): string {
  const parsed = new URL(url);
  const options = parsed.searchParams.get('options');
  parsed.searchParams.set('options', `${options === null ? '' : `${options} `}-c search_path=${namespace}`);
  return parsed.href;
}

/** Counts and times are below 2^53. */
const NUMBERS: ReadonlySet<number> = new Set([pg.types.builtins.INT8, pg.types.builtins.NUMERIC]);

const getTypeParser: typeof pg.types.getTypeParser = (id: number, format?: 'text' | 'binary') =>
  NUMBERS.has(id) ? Number : (pg.types.getTypeParser(id, format) as (value: string) => unknown);

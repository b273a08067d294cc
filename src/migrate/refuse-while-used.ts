import { StartError } from '../config/start-error.js';
import type { Postgres } from '../storage/postgres/postgres.js';

/** @throws StartError while a process is connected to this part of the database; `db` must have one connection at most */
export async function refuseWhileUsed(db: Postgres, address: string): Promise<void> {
  const { rows } = await db.read<{ n: number }>(
    `SELECT count(*) AS n FROM pg_stat_activity
     WHERE datname = current_database() AND application_name = $1 AND pid <> pg_backend_pid()`,
    [`caudex-${db.namespace}`],
  );
  if ((rows[0]?.n ?? 0) === 0) return;
  throw new StartError(`DATABASE_URL: ${address} is in use by a ${db.namespace} process; end it first`);
}

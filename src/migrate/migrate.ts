import { join } from 'node:path';
import { IDEMPOTENCY_MIGRATIONS } from '../backend/edge/idempotency/sqlite-answer.store.js';
import { IMPORT_MIGRATIONS } from '../backend/imports/sqlite-import.store.js';
import type { AppName, Config } from '../config/config.schema.js';
import { AUTH_MIGRATIONS } from '../downstream/auth/server/sqlite/sqlite-database.js';
import { LEDGER_MIGRATIONS } from '../downstream/billing/server/sqlite-ledger.js';
import { INDEX_MIGRATIONS } from '../downstream/chroma/server/index/index.store.js';
import { FILESYSTEM_MIGRATIONS } from '../downstream/filesystem/server/filesystem-database.js';
import { GIT_MIGRATIONS } from '../downstream/git/server/git-server.module.js';
import { OUTBOX_MIGRATIONS } from '../outbox/sqlite-outbox.store.js';
import { lockDataFolder } from '../storage/data-lock.js';
import { addressOf } from '../storage/postgres/address.js';
import { migratePostgres } from '../storage/postgres/open-postgres.js';
import { postgresSettings } from '../storage/postgres/settings.js';
import { openDatabase, schemaVersion } from '../storage/sqlite.js';
import { POSTGRES_PARTS } from './copied-parts.js';

/** Every database, by the process that owns it; paths are below the process's part of the data folder. */
const DATABASES: readonly [app: AppName, file: string, migrations: readonly string[]][] = [
  ['backend', 'outbox.db', OUTBOX_MIGRATIONS],
  ['backend', 'idempotency.db', IDEMPOTENCY_MIGRATIONS],
  ['backend', 'imports.db', IMPORT_MIGRATIONS],
  ['auth', 'accounts.sqlite', AUTH_MIGRATIONS],
  ['filesystem', 'metadata.sqlite', FILESYSTEM_MIGRATIONS],
  ['chroma', 'index.sqlite', INDEX_MIGRATIONS],
  ['billing', 'ledger.sqlite', LEDGER_MIGRATIONS],
  ['git', 'git.db', GIT_MIGRATIONS],
];

/**
 * Brings the schema of every database to this release, as each process does at its start: run it before a rollout to learn
 * of a failure while the old processes could still be started again. A migration is applied once, in one transaction. With
 * `DATABASE_URL`, the processes that keep their data there may run meanwhile.
 * @throws StartError while a process uses its folder, and for a database that is damaged, refuses, or is of a newer release
 */
export async function migrate(config: Config, print = console.log): Promise<void> {
  const settings = postgresSettings(config);
  const elsewhere = settings === undefined ? [] : POSTGRES_PARTS.map(({ app }) => app);
  for (const [app, file, migrations] of DATABASES) {
    if (!elsewhere.includes(app)) migrateFile(config.data_dir, app, file, migrations, print);
  }
  if (settings === undefined) return;
  for (const { part } of POSTGRES_PARTS) {
    const applied = await migratePostgres(settings, part);
    const was = applied.length === 0 ? 'as it was' : `applied ${applied.join(', ')}`;
    print(`${addressOf(settings.url)}: schema ${part.namespace} (${was})`);
  }
}

function migrateFile(
  dataDir: string,
  app: AppName,
  file: string,
  migrations: readonly string[],
  print: (line: string) => void,
): void {
  const unlock = lockDataFolder(dataDir, app);
  try {
    const path = join(dataDir, app, file);
    const before = schemaVersion(path);
    openDatabase(path, migrations).close();
    const was = before === undefined ? 'made' : before === migrations.length ? 'as it was' : `from ${before}`;
    print(`${path}: schema version ${migrations.length} (${was})`);
  } finally {
    unlock();
  }
}

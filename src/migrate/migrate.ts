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
import { openDatabase, schemaVersion } from '../storage/sqlite.js';

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
 * of a failure while the old processes could still be started again. A migration is applied once, in one transaction.
 * @throws StartError while a process uses its folder, and for a database that is damaged or of a newer release
 */
export function migrate({ data_dir }: Config, print = console.log): Promise<void> {
  for (const [app, file, migrations] of DATABASES) {
    const unlock = lockDataFolder(data_dir, app);
    try {
      const path = join(data_dir, app, file);
      const before = schemaVersion(path);
      openDatabase(path, migrations).close();
      const was = before === undefined ? 'made' : before === migrations.length ? 'as it was' : `from ${before}`;
      print(`${path}: schema version ${migrations.length} (${was})`);
    } finally {
      unlock();
    }
  }
  return Promise.resolve();
}

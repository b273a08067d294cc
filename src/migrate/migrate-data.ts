import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { AppName, Config } from '../config/config.schema.js';
import { StartError } from '../config/start-error.js';
import { FILESYSTEM_PART } from '../downstream/filesystem/server/postgres-database.js';
import { lockDataFolder } from '../storage/data-lock.js';
import { addressOf } from '../storage/postgres/address.js';
import { openPostgres, type Part } from '../storage/postgres/open-postgres.js';
import type { Postgres } from '../storage/postgres/postgres.js';
import { type PostgresSettings, postgresSettings } from '../storage/postgres/settings.js';
import { openDatabase } from '../storage/sqlite.js';
import { COPIED_PARTS, type CopiedPart } from './copied-parts.js';
import { copiedLine, CopyDiffers, copyToPostgres, copyToSqlite } from './copied-table.js';
import { filesystemToPostgres, filesystemToSqlite } from './filesystem-data.js';
import { refuseWhileUsed } from './refuse-while-used.js';
import { migrateDocuments } from './migrate-documents.js';

type Target = 'postgres' | 'sqlite';
type Print = (line: string) => void;

/** One statement of a copy may take longer than one of a request. */
const STATEMENT_MS = 60_000;

/**
 * Moves data between the embedded stores and outside ones, by copies that are compared by count and hash; the source stays
 * as it is. An interrupted run is continued by the next one. Without `target` it copies to what the configuration names:
 * the databases to PostgreSQL (`DATABASE_URL`), the contents of documents to `storage.documents`.
 * @param target `postgres`; `sqlite`, back from there; or `documents`
 * @throws StartError while the processes run, and where a copy differs
 */
export async function migrateData(config: Config, target?: string, print: Print = console.log): Promise<void> {
  const hasDatabase = config.secrets.database_url !== undefined;
  if (target === undefined && !hasDatabase) return migrateDocuments(config, print);
  if (target === 'documents') return migrateDocuments(config, print);
  if (target !== undefined && target !== 'postgres' && target !== 'sqlite') {
    throw new StartError(`migrate-data: "${target}" is no target; it is postgres, sqlite or documents`);
  }
  await copyDatabases(config, target ?? 'postgres', print);
  if (target === undefined && config.storage.s3.bucket !== null) await migrateDocuments(config, print);
}

async function copyDatabases(config: Config, to: Target, print: Print): Promise<void> {
  const settings = postgresSettings(config);
  if (settings === undefined) {
    throw new StartError('DATABASE_URL: missing; data are copied between the embedded stores and this database');
  }
  for (const one of COPIED_PARTS) {
    const dir = join(config.data_dir, one.app);
    await withPart(config, settings, one, print, (db) => copyPart(one, to, { db, dir, print }));
  }
  const copyFilesystem = to === 'postgres' ? filesystemToPostgres : filesystemToSqlite;
  await withPart(config, settings, { app: 'filesystem', part: FILESYSTEM_PART }, print, (db) =>
    copyFilesystem(config, db, print).catch((error: unknown) => {
      throw error instanceof CopyDiffers ? new StartError(`filesystem.${error.message}`) : error;
    }),
  );
}

/** @throws StartError while a process uses the folder, or its part of the database */
async function withPart(
  config: Config,
  settings: PostgresSettings,
  { app, part }: { app: AppName; part: Part },
  print: Print,
  work: (db: Postgres) => Promise<void>,
): Promise<void> {
  const unlock = lockDataFolder(config.data_dir, app);
  const limits = { statement_timeout_ms: STATEMENT_MS, max_connections: 1 };
  const db = await openPostgres({ ...settings, ...limits }, part, print);
  try {
    await refuseWhileUsed(db, addressOf(settings.url));
    await work(db);
  } finally {
    await db.close();
    unlock();
  }
}

async function copyPart(
  { app, files, further }: CopiedPart,
  to: Target,
  { db, dir, print }: { db: Postgres; dir: string; print: Print },
): Promise<void> {
  for (const { file, migrations, tables } of files) {
    const path = join(dir, file);
    if (to === 'postgres' && !existsSync(path)) {
      print(`${path} does not exist: nothing to copy`);
      continue;
    }
    const sqlite = openDatabase(path, migrations);
    try {
      for (const table of tables) {
        if (to === 'sqlite' && table.sqliteQuery !== undefined) continue;
        const copied = await (
          to === 'postgres' ? copyToPostgres(table, sqlite, db) : copyToSqlite(table, db, sqlite)
        ).catch((error: unknown) => refuse(app, error));
        print(copiedLine(`${app}.${table.name}`, to, copied));
      }
    } finally {
      sqlite.close();
    }
  }
  for (const told of (await further?.(to, db, dir)) ?? []) print(`${app}: ${told}`);
}

function refuse(app: string, error: unknown): never {
  throw new StartError(`${app}.${(error as Error).message}`);
}

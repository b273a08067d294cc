import { join } from 'node:path';
import type { Config } from '../config/config.schema.js';
import { StartError } from '../config/start-error.js';
import { EmbeddedStores } from '../downstream/filesystem/server/embedded-stores.js';
import { FILESYSTEM_PART } from '../downstream/filesystem/server/postgres-database.js';
import { PostgresStores } from '../downstream/filesystem/server/postgres-stores.js';
import { lockDataFolder } from '../storage/data-lock.js';
import { addressOf } from '../storage/postgres/address.js';
import { openPostgres } from '../storage/postgres/open-postgres.js';
import { postgresSettings } from '../storage/postgres/settings.js';
import { copyContents } from './contents.js';
import { refuseWhileUsed } from './refuse-while-used.js';

/**
 * Copies the contents of all documents into the store that `storage.documents` names: from disk to S3, or back. Each copy
 * is read again and compared by its SHA-256. What is there already is not copied again, so it can be repeated after an
 * interruption. The source stays as it is. No filesystem server may run.
 * @throws StartError while it runs, and where a content could not be copied
 */
export async function migrateDocuments(config: Config, print = console.log): Promise<void> {
  const dir = join(config.data_dir, 'filesystem');
  if (config.storage.s3.bucket === null) {
    throw new StartError('storage.s3.bucket: missing; contents are copied between the disk and this bucket');
  }
  const unlock = lockDataFolder(config.data_dir, 'filesystem');
  const settings = postgresSettings(config);
  const postgres = settings && (await openPostgres({ ...settings, max_connections: 1 }, FILESYSTEM_PART, print));
  const stores =
    postgres === undefined ? new EmbeddedStores(dir, config.quotas) : new PostgresStores(postgres, dir, config.quotas);
  try {
    if (settings !== undefined && postgres !== undefined) await refuseWhileUsed(postgres, addressOf(settings.url));
    const onDisk = await stores.openFiles(withDocuments(config, 'disk'));
    const onS3 = await stores.openFiles(withDocuments(config, 's3'));
    const [from, to] = config.storage.documents === 's3' ? [onDisk, onS3] : [onS3, onDisk];
    try {
      await copyContents(stores.documents, from, to, config.storage.documents, print);
    } finally {
      onS3.close();
    }
  } finally {
    await stores.close();
    await postgres?.close();
    unlock();
  }
}

const withDocuments = (config: Config, documents: 'disk' | 's3'): Config => ({
  ...config,
  storage: { ...config.storage, documents },
});

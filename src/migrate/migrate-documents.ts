import { join } from 'node:path';
import type { Config } from '../config/config.schema.js';
import { StartError } from '../config/start-error.js';
import { DocumentStore } from '../downstream/filesystem/server/documents/document-store.js';
import { openFilesystemDatabase } from '../downstream/filesystem/server/filesystem-database.js';
import { DiskDocumentFiles } from '../downstream/filesystem/server/files/disk-document-files.js';
import { DamagedFile, type DocumentFiles } from '../downstream/filesystem/server/files/document-files.js';
import { openS3 } from '../downstream/filesystem/server/files/open-document-files.js';
import { lockDataFolder } from '../storage/data-lock.js';
import { LexicalIndex } from '../text/lexical-index.js';

/**
 * Copies the contents of all documents into the store that `storage.documents` names: from disk to S3, or back. Each copy
 * is read again and compared by its SHA-256. What is there already is not copied again, so it can be repeated after an
 * interruption. The source stays as it is. The filesystem server must not run.
 * @throws StartError while it runs, and where a content could not be copied
 */
export async function migrateDocuments(config: Config, print = console.log): Promise<void> {
  const dir = join(config.data_dir, 'filesystem');
  if (config.storage.s3.bucket === null) {
    throw new StartError('storage.s3.bucket: missing; contents are copied between the disk and this bucket');
  }
  const unlock = lockDataFolder(config.data_dir, 'filesystem');
  const db = openFilesystemDatabase(join(dir, 'metadata.sqlite'), join(dir, 'files'));
  const disk = new DiskDocumentFiles(join(dir, 'files'));
  const s3 = await openS3(dir, config);
  try {
    const [from, to] = config.storage.documents === 's3' ? [disk, s3] : [s3, disk];
    const documents = new DocumentStore(db, new LexicalIndex(db), config.quotas);
    const { copied, kept, failures } = await copyAll(documents, from, to);
    for (const failure of failures) print(failure);
    print(`${copied} contents copied to ${config.storage.documents}, ${kept} were there already`);
    if (failures.length > 0)
      throw new StartError(`${failures.length} contents could not be copied; repeat the command`);
  } finally {
    s3.close();
    db.close();
    unlock();
  }
}

async function copyAll(documents: DocumentStore, from: DocumentFiles, to: DocumentFiles) {
  const failures: string[] = [];
  let [copied, kept] = [0, 0];
  for (const { key, ...stored } of documents.files()) {
    try {
      if (await isThere(to, key, stored)) kept++;
      else {
        await to.write(key, await from.read(key, stored), stored.file);
        await to.read(key, stored);
        copied++;
      }
    } catch (error) {
      failures.push(`${stored.file}: ${(error as Error).message}`);
    }
  }
  return { copied, kept, failures };
}

async function isThere(to: DocumentFiles, ...[key, stored]: Parameters<DocumentFiles['read']>): Promise<boolean> {
  try {
    await to.read(key, stored);
    return true;
  } catch (error) {
    if (error instanceof DamagedFile) return false;
    throw error;
  }
}

import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../../../../config/config.schema.js';
import { DiskDocumentFiles } from './disk-document-files.js';
import type { DocumentFiles } from './document-files.js';

/**
 * Opens the store of contents that `storage.documents` names.
 * @param dir the filesystem server's part of the data folder
 */
export async function openDocumentFiles(dir: string, config: Config): Promise<DocumentFiles> {
  return config.storage.documents === 's3' ? openS3(dir, config) : new DiskDocumentFiles(join(dir, 'files'));
}

/** Imported only where it is configured, because the client takes long to load. */
export async function openS3(dir: string, { storage, secrets }: Config, installation = installationIn(dir)) {
  const [{ Bucket }, { S3DocumentFiles }] = await Promise.all([
    import('./bucket.js'),
    import('./s3-document-files.js'),
  ]);
  return new S3DocumentFiles(new Bucket(storage.s3, secrets), installation);
}

/** The id of this installation, created at its first start. */
export function installationIn(dir: string): string {
  const file = join(dir, 'installation');
  if (!existsSync(file)) writeFileSync(file, randomUUID(), { mode: 0o600 });
  return readFileSync(file, 'utf8').trim();
}

import { randomUUID } from 'node:crypto';
import { existsSync, linkSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../../../../config/config.schema.js';
import { StartError } from '../../../../config/start-error.js';
import { OWNER } from './disk-document-files.js';

/**
 * The folder with the contents where several processes use one database.
 * @param dir the filesystem server's part of the data folder
 */
export const sharedFolder = (dir: string, { storage }: Config) => storage.documents_dir ?? join(dir, 'files');

/**
 * Claims the folder for a database, at the first start, or checks that it belongs to the database: the contents of another
 * one would be removed as leftovers.
 * @param claim stores the id of the folder in the database if it has none, and returns the one that it has then
 * @throws StartError where the folder belongs to another database, or the database to another folder
 */
export async function claimFolder(folder: string, claim: (id: string) => Promise<string>): Promise<void> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const isNew = !existsSync(join(folder, OWNER));
  // Another process may be claiming the folder at this moment.
  if (isNew && readdirSync(folder).some((name) => !name.startsWith(OWNER))) {
    throw new StartError(
      `storage.documents_dir: ${folder} holds documents of an unknown database; run migrate-data, or choose another folder`,
    );
  }
  const id = idOf(folder);
  if ((await claim(id)) === id) return;
  if (isNew) rmSync(join(folder, OWNER), { force: true });
  throw new StartError(
    `storage.documents_dir: ${folder} is not the folder with the documents that DATABASE_URL names; name the one that all filesystem servers on this database share`,
  );
}

/** The id of a folder, which is written where it has none: whole, also where several processes start. */
export function idOf(folder: string): string {
  const file = join(folder, OWNER);
  if (!existsSync(file)) {
    const draft = join(folder, `${OWNER}.${randomUUID()}`);
    writeFileSync(draft, randomUUID(), { mode: 0o600 });
    try {
      linkSync(draft, file);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    } finally {
      rmSync(draft);
    }
  }
  return readFileSync(file, 'utf8').trim();
}

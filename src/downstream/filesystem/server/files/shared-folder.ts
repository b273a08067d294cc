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

/** The id of the folder in the database. */
export interface FolderClaim {
  current(): Promise<string | null>;
  /** Stores the id where the database has none. */
  claim(id: string): Promise<void>;
}

/**
 * Claims an empty folder for a database that has none, or checks that the folder is the database's own: the contents of
 * another one would be removed as leftovers.
 * @throws StartError where the folder belongs to another database, or the database to another folder
 */
export async function claimFolder(folder: string, database: FolderClaim): Promise<void> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const isNew = !existsSync(join(folder, OWNER));
  const isEmpty = readdirSync(folder).every((name) => name.startsWith(OWNER));
  if (isNew && !isEmpty) {
    throw new StartError(
      `storage.documents_dir: ${folder} holds documents of an unknown database; run migrate-data, or choose another folder`,
    );
  }
  const id = idOf(folder);
  if (isEmpty) await database.claim(id);
  if ((await database.current()) === id) return;
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

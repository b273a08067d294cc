import { existsSync } from 'node:fs';
import { mkdir, open, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { create } from 'tar';
import type { Config } from '../config/config.schema.js';
import { StartError } from '../config/start-error.js';
import { lockDataFolder } from '../storage/data-lock.js';
import { addressOf } from '../storage/postgres/address.js';
import { FORMAT, MANIFEST, measure, type Manifest } from './manifest.js';
import { takeSnapshot } from './snapshot.js';

/** Below the data folder, as hard links need one disk. Removed at the end, and before the next backup. */
const WORK = 'backup';

/**
 * Writes everything that the processes keep below `data_dir` into one archive (tar, gzip), while they run. It holds the
 * accounts, the signing keys and all texts, and so is readable by this user alone.
 * @throws StartError where there is such a file, or nothing to save
 */
export async function backup(config: Config, target: string, print = console.log): Promise<void> {
  const { data_dir: dataDir } = config;
  const file = resolve(target);
  if (existsSync(file)) throw new StartError(`${file} exists; name a file that does not`);
  if (!existsSync(dirname(file))) throw new StartError(`${dirname(file)} does not exist; make the folder first`);
  if (!existsSync(dataDir)) throw new StartError(`DATA_DIR: ${dataDir} does not exist; there is nothing to save`);
  const unlock = lockDataFolder(dataDir, WORK);
  const staging = join(dataDir, WORK, 'snapshot');
  try {
    await rm(staging, { recursive: true, force: true });
    await mkdir(staging, { mode: 0o700 });
    const { apps, takenAt } = await takeSnapshot(dataDir, staging);
    if (apps.length === 0) throw new StartError(`DATA_DIR: ${dataDir} holds nothing of any process`);
    const { files, bytes } = await measure(staging, apps);
    const manifest: Manifest = { format: FORMAT, taken_at: takenAt.toISOString(), apps, files, bytes };
    await writeFile(join(staging, MANIFEST), JSON.stringify(manifest));
    await writeArchive(staging, [MANIFEST, ...apps], file);
    print(`caudex: ${file} holds ${apps.join(', ')} as of ${manifest.taken_at}: ${files} files, ${bytes} bytes`);
    for (const line of notInIt(config)) print(line);
  } finally {
    await rm(staging, { recursive: true, force: true });
    unlock();
    await rm(join(dataDir, WORK), { recursive: true, force: true });
  }
}

/** A line for each other store, which needs a backup of its own. */
function notInIt({ secrets, storage }: Config): string[] {
  const lines: string[] = [];
  if (secrets.database_url !== undefined) {
    const where = addressOf(secrets.database_url);
    lines.push(
      `caudex: PostgreSQL at ${where} is NOT in it: save it with pg_dump, before this file (docs/operations.md)`,
    );
  }
  if (storage.documents === 's3')
    lines.push(`caudex: the bucket ${storage.s3.bucket} is NOT in it (docs/operations.md)`);
  return lines;
}

/** Writes the whole archive or nothing, also after a power cut. */
async function writeArchive(folder: string, entries: string[], file: string): Promise<void> {
  const draft = `${file}.part`;
  try {
    await create({ file: draft, cwd: folder, gzip: true, portable: true, mode: 0o600, strict: true }, entries);
    const handle = await open(draft, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(draft, file);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

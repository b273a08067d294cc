import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { extract, list } from 'tar';
import type { Config } from '../config/config.schema.js';
import { StartError } from '../config/start-error.js';
import { MANIFEST, type Manifest, manifestSchema, measure } from './manifest.js';

/** Below the data folder while the archive is unpacked. */
const STAGING = 'restoring';

/**
 * Restores a backup into an empty data folder, all of it or nothing. The processes must not run.
 * @throws StartError for a folder with anything in it, and for a file that is no whole backup
 */
export async function restore(config: Config, source: string, print = console.log): Promise<void> {
  const { data_dir: dataDir } = config;
  const file = resolve(source);
  if (!existsSync(file)) throw new StartError(`${file} does not exist`);
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const found = await readdir(dataDir);
  if (found.length > 0) {
    throw new StartError(
      `DATA_DIR: ${dataDir} is not empty (${found.slice(0, 3).join(', ')}); stop the processes and name an empty folder`,
    );
  }
  const staging = join(dataDir, STAGING);
  await mkdir(staging, { mode: 0o700 });
  try {
    const { apps, taken_at, files, bytes } = await unpack(file, staging);
    for (const app of apps) await rename(join(staging, app), join(dataDir, app));
    print(`caudex: ${dataDir} is as of ${taken_at}: ${apps.join(', ')}, ${files} files, ${bytes} bytes`);
  } finally {
    await rm(staging, { recursive: true, force: true, maxRetries: 10 });
  }
}

async function unpack(file: string, to: string): Promise<Manifest> {
  try {
    // The archive is read to its end before anything is written, because a failed extraction still writes for a while.
    await list({ file, strict: true });
    await extract({ file, cwd: to, strict: true, filter: (_, entry) => !('type' in entry && isSpecial(entry.type)) });
    const manifest = manifestSchema.parse(JSON.parse(await readFile(join(to, MANIFEST), 'utf8')));
    const { files, bytes } = await measure(to, manifest.apps);
    if (files !== manifest.files || bytes !== manifest.bytes) {
      throw new Error(`${files} files with ${bytes} bytes instead of ${manifest.files} with ${manifest.bytes}`);
    }
    return manifest;
  } catch (error) {
    throw new StartError(`${file} is no whole backup of caudex: ${(error as Error).message.split('\n')[0]}`);
  }
}

/** A backup has files, folders and, for two names of one file, hard links. */
const isSpecial = (type: string) => !['File', 'Directory', 'Link'].includes(type);

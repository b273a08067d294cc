import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { StartError } from '../config/start-error.js';
import { isStorageBusy } from './storage-errors.js';

/** How long a start waits for the previous process to end. */
const WAIT_MS = 2000;

/**
 * Locks a server's part of a data folder for this process. An open transaction holds a file lock of the operating
 * system, which ends with the process in any case.
 * @returns a function that releases the lock
 * @throws StartError while another process has it
 */
export function lockDataFolder(dataDir: string, server: string): () => void {
  const folder = join(dataDir, server);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const db = new DatabaseSync(join(folder, 'lock.sqlite'), { timeout: WAIT_MS });
  try {
    db.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    db.close();
    if (!isStorageBusy(error)) throw error;
    throw new StartError(
      `DATA_DIR: ${folder} is in use by another ${server} process; end that one, or give this one a folder of its own`,
    );
  }
  return () => {
    if (db.isOpen) db.close();
  };
}

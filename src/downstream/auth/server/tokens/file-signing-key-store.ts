import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { newestFirst, SigningKeyStore, type StoredKey, storedKeySchema } from './signing-key-store.js';

/** One file for each key pair, readable by this user alone. */
export class FileSigningKeyStore extends SigningKeyStore {
  constructor(private readonly dir: string) {
    super();
  }

  async load(): Promise<StoredKey[]> {
    mkdirSync(this.dir, { recursive: true, mode: 0o700 });
    const files = readdirSync(this.dir).filter((name) => name.endsWith('.json'));
    return newestFirst(files.map((name) => readKey(join(this.dir, name))));
  }

  async renew(renew: (newest: StoredKey | undefined) => Promise<StoredKey | undefined>): Promise<void> {
    const made = await renew((await this.load())[0]);
    if (made !== undefined) writeSecret(this.dir, `${made.kid}.json`, JSON.stringify(made));
  }

  async remove(kid: string): Promise<void> {
    rmSync(join(this.dir, `${kid}.json`), { force: true });
  }
}

function readKey(file: string): StoredKey {
  try {
    return storedKeySchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (error) {
    throw new Error(`${file} is not a signing key; delete it; all users must sign in again then`, { cause: error });
  }
}

/** Writes the whole file or nothing, also in a crash. */
function writeSecret(dir: string, name: string, text: string): void {
  const temporary = join(dir, `${name}.tmp`);
  const file = openSync(temporary, 'w', 0o600);
  try {
    writeSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(temporary, join(dir, name));
  const folder = openSync(dir, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

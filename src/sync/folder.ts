import { type BigIntStats, readFileSync, statSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import ignore, { type Ignore } from 'ignore';
import { digestOf } from './content.js';

/** Where the command keeps its state, below the folder that it keeps in step. */
export const STATE_DIR = '.caudex';
const IGNORE_FILE = '.caudexignore';
/** Data of programs; a rule in `.caudexignore` can include it again. */
const LEFT_OUT = [
  '.git',
  '.hg',
  '.svn',
  '.obsidian',
  '.trash',
  'node_modules',
  '__MACOSX',
  '.DS_Store',
  '._*',
  'Thumbs.db',
  'desktop.ini',
];
/** A larger file is not read; the server takes none of this size. */
const MAX_BYTES = 256 * 1024 * 1024;

export interface Scan {
  /** The digests of the files, by path: with slashes, in Unicode NFC. */
  files: ReadonlyMap<string, string>;
  /** Entries that cannot be read, or whose name is not unique, with the reason. */
  unread: { path: string; reason: string }[];
  /** Whether the ignore rules leave a path out. */
  isLeftOut(path: string): boolean;
}

interface Seen {
  digest: string;
  stamp: string;
}

/** The files of a folder and its folders, other than those that the ignore rules leave out. Links are not followed. */
export class Folder {
  /** What was hashed before: a file with the same size and times is not read again. */
  private readonly seen = new Map<string, Seen>();
  /** The names as the file system has them, by path in NFC. */
  private names = new Map<string, string>();

  constructor(readonly dir: string) {}

  async scan(): Promise<Scan> {
    const rules = ignore().add(LEFT_OUT);
    rules.add(await readFile(join(this.dir, IGNORE_FILE), 'utf8').catch(() => ''));
    // No rule can include these: the state changes with each upload.
    rules.add([`/${STATE_DIR}`, `/${IGNORE_FILE}`]);
    const files = new Map<string, string>();
    const unread: Scan['unread'] = [];
    this.names = new Map();
    await this.walk('', rules, files, unread);
    for (const path of this.seen.keys()) if (!files.has(path)) this.seen.delete(path);
    return { files, unread, isLeftOut: (path) => rules.ignores(path) };
  }

  /** The bytes of a file; undefined where it is gone. */
  read(path: string): Buffer | undefined {
    try {
      return readFileSync(this.fileOf(path));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }

  /** Where a file is; a name of the file system need not be in NFC. */
  fileOf(path: string): string {
    return join(this.dir, this.names.get(path) ?? path);
  }

  private async walk(folder: string, rules: Ignore, files: Map<string, string>, unread: Scan['unread']): Promise<void> {
    const entries = await readdir(join(this.dir, folder), { withFileTypes: true }).catch((error: Error) => {
      unread.push({ path: folder === '' ? '.' : folder, reason: error.message });
      return [];
    });
    for (const entry of entries) {
      const name = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (rules.ignores(entry.isDirectory() ? `${name}/` : name)) continue;
      if (entry.isDirectory()) await this.walk(name, rules, files, unread);
      else if (entry.isFile()) this.look(name, files, unread);
    }
  }

  private look(name: string, files: Map<string, string>, unread: Scan['unread']): void {
    const path = name.normalize('NFC');
    try {
      if (files.has(path)) throw new Error('another file has the same name in composed Unicode');
      const about = statSync(join(this.dir, name), { bigint: true });
      if (about.size > MAX_BYTES) throw new Error(`it has ${about.size} bytes; at most ${MAX_BYTES} are read`);
      const known = this.seen.get(path);
      const stamp = stampOf(about);
      // Without waiting for the thread pool, which takes longer than the reading of a note.
      const digest = known?.stamp === stamp ? known.digest : digestOf(readFileSync(join(this.dir, name)));
      this.seen.set(path, { digest, stamp });
      this.names.set(path, name);
      files.set(path, digest);
    } catch (error) {
      // A file that disappears while the folder is read counts as deleted.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
      unread.push({ path, reason: (error as Error).message });
    }
  }
}

const stampOf = ({ size, mtimeNs, ctimeNs, ino }: BigIntStats) => `${size} ${mtimeNs} ${ctimeNs} ${ino}`;

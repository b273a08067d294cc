import { randomUUID } from 'node:crypto';
import { link, lstat, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, posix } from 'node:path';
import { pathFault } from '../contract/document-path.js';
import { digestOf } from './content.js';
import { type Folder, STATE_DIR } from './folder.js';

/** Files that were deleted on the server, below {@link STATE_DIR}. */
export const TRASH_DIR = 'trash';

/** How the names of drafts begin. */
const INCOMING = 'incoming-';

/** The file was changed or made by another program meanwhile; nothing was written. */
export class ChangedHere extends Error {}

/**
 * Writes documents of the server into a folder. A file is complete under its name or not there, and no content that
 * another program wrote meanwhile is replaced or deleted. Paths come from the server, so they are checked: nothing is written
 * outside the folder, nor through links.
 */
export class FolderWriter {
  constructor(private readonly folder: Folder) {}

  /** Removes the drafts of a process that was killed. */
  async removeDrafts(): Promise<void> {
    const dir = join(this.folder.dir, STATE_DIR);
    const drafts = (await readdir(dir)).filter((name) => name.startsWith(INCOMING));
    await Promise.all(drafts.map((name) => rm(join(dir, name))));
  }

  /**
   * @param replaced the digest of the file to be replaced; null: there must be none
   * @throws ChangedHere; Error where the path cannot be written
   */
  async write(path: string, bytes: Buffer, replaced: string | null): Promise<void> {
    await this.check(path);
    const draft = await this.draft(bytes);
    await mkdir(dirname(this.folder.fileOf(path)), { recursive: true });
    if (replaced === null) return this.place(draft, path);
    const old = await this.take(path, replaced);
    await this.place(draft, path);
    await rm(old);
  }

  /** Puts a file into the trash of the folder. @throws ChangedHere where its content has another digest */
  async remove(path: string, digest: string): Promise<void> {
    await this.check(path);
    await this.take(path, digest);
  }

  /**
   * Gives a file another name, and puts `bytes` in its place. A file that appears under the name meanwhile stays.
   * @returns the file's new path
   */
  async setAside(path: string, bytes: Buffer, now: Date): Promise<string> {
    const aside = await this.conflictName(path, now);
    const draft = await this.draft(bytes);
    await rename(this.folder.fileOf(path), join(this.folder.dir, aside));
    await mkdir(dirname(join(this.folder.dir, path)), { recursive: true });
    await this.place(draft, path).catch((error: unknown) => {
      if (!(error instanceof ChangedHere)) throw error;
    });
    return aside;
  }

  private async draft(bytes: Buffer): Promise<string> {
    const draft = join(this.folder.dir, STATE_DIR, `${INCOMING}${randomUUID()}`);
    await writeFile(draft, bytes, { flush: true });
    return draft;
  }

  /** A link, and not a renaming, which would replace a file that appeared meanwhile. */
  private async place(draft: string, path: string): Promise<void> {
    try {
      await link(draft, this.folder.fileOf(path));
    } catch (error) {
      throw (error as NodeJS.ErrnoException).code === 'EEXIST' ? new ChangedHere(`${path} exists already`) : error;
    } finally {
      await rm(draft, { force: true });
    }
  }

  /**
   * Moves a file into the trash, where it stays also after a kill, and back where it has another content than expected.
   * @returns where it is
   */
  private async take(path: string, digest: string): Promise<string> {
    const file = this.folder.fileOf(path);
    const target = await this.trashName(path);
    await rename(file, target).catch((error: NodeJS.ErrnoException) => {
      throw error.code === 'ENOENT' ? new ChangedHere(`${path} is gone`) : error;
    });
    if (digestOf(await readFile(target)) === digest) return target;
    // Where another file has appeared under the name meanwhile, this one stays in the trash.
    await link(target, file).then(
      () => rm(target),
      () => undefined,
    );
    throw new ChangedHere(`${path} was changed`);
  }

  private async trashName(path: string): Promise<string> {
    const { dir, name, ext } = posix.parse(path);
    const folder = join(this.folder.dir, STATE_DIR, TRASH_DIR, dir);
    await mkdir(folder, { recursive: true });
    for (let n = 1; ; n++) {
      const target = join(folder, n === 1 ? `${name}${ext}` : `${name} (${n})${ext}`);
      if ((await stat(target).catch(() => undefined)) === undefined) return target;
    }
  }

  private async conflictName(path: string, now: Date): Promise<string> {
    const { dir, name, ext } = posix.parse(path);
    const day = now.toISOString().slice(0, 10);
    for (let n = 1; ; n++) {
      const aside = posix.join(dir, `${name} (conflict ${day}${n === 1 ? '' : ` ${n}`})${ext}`);
      if ((await stat(join(this.folder.dir, aside)).catch(() => undefined)) === undefined) return aside;
    }
  }

  /** @throws Error where a path leads out of the folder */
  private async check(path: string): Promise<void> {
    const fault = pathFault(path);
    if (fault !== undefined) throw new Error(`its path cannot be a file here: ${fault}`);
    for (let folder = posix.dirname(path); folder !== '.'; folder = posix.dirname(folder)) {
      const found = await lstat(join(this.folder.dir, folder)).catch(() => undefined);
      if (found !== undefined && !found.isDirectory()) throw new Error(`${folder} is no folder here`);
    }
  }
}

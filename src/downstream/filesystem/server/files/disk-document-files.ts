import { randomUUID } from 'node:crypto';
import { constants, mkdirSync, realpathSync } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, realpath, rm, rmdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ProjectKey } from '../../../../text/lexical-index.js';
import pLimit from 'p-limit';
import {
  DamagedFile,
  DocumentFiles,
  folderOf,
  hashOf,
  type Known,
  PARALLEL,
  type StoredFile,
} from './document-files.js';

/** The file with the id of a shared folder. A user's id has no dot. */
export const OWNER = '.caudex-owner';
const MAX_TRIES = 3;

/** Stores each content in a file of its own below `<root>/<user>/<project>/`. */
export class DiskDocumentFiles extends DocumentFiles {
  private readonly root: string;
  private readonly folders = new FolderFlushes();

  constructor(root: string) {
    super();
    mkdirSync(root, { recursive: true, mode: 0o700 });
    this.root = realpathSync(root);
  }

  async write(key: ProjectKey, content: Uint8Array, file?: string): Promise<StoredFile> {
    const folder = await this.openFolder(key);
    // A file with a given name may be there already, perhaps incomplete.
    if (file !== undefined) await rm(join(folder, file), { force: true });
    const stored = await this.writeInto(folder, content, file ?? randomUUID());
    await this.folders.flush(folder);
    return stored;
  }

  override async writeAll(key: ProjectKey, contents: readonly Uint8Array[]): Promise<StoredFile[]> {
    const folder = await this.openFolder(key);
    const files = contents.map(() => randomUUID());
    try {
      const stored = await pLimit(PARALLEL).map(contents, (content, i) =>
        this.writeInto(folder, content, files[i] as string),
      );
      await this.folders.flush(folder);
      return stored;
    } catch (error) {
      await this.remove(key, files);
      throw error;
    }
  }

  /** The name is durable when the folder is. Before that nothing names the file, so it may be incomplete. */
  private async writeInto(folder: string, content: Uint8Array, file: string): Promise<StoredFile> {
    const place = join(folder, file);
    const handle = await this.openNew(folder, place);
    try {
      await handle.writeFile(content);
      await handle.sync();
    } catch (error) {
      await rm(place, { force: true });
      throw error;
    } finally {
      await handle.close();
    }
    return { file, sha256: hashOf(content) };
  }

  /** Makes the folder where it is missing. */
  private async openFolder(key: ProjectKey): Promise<string> {
    const folder = this.folderOf(key);
    try {
      await this.refuseLinks(folder);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      await this.makeFolder(folder);
      await this.refuseLinks(folder);
    }
    return folder;
  }

  private async makeFolder(folder: string): Promise<void> {
    const created = await mkdir(folder, { recursive: true, mode: 0o700 });
    if (created !== undefined) await syncUp(folder, this.root);
  }

  /** A sweep by another process may remove the folder again while it is empty. */
  private async openNew(folder: string, file: string): Promise<FileHandle> {
    for (let tries = 1; ; tries++) {
      try {
        return await open(file, 'wx', 0o600);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || tries === MAX_TRIES) throw error;
      }
      await this.makeFolder(folder);
    }
  }

  async read(key: ProjectKey, { file, sha256 }: StoredFile): Promise<Buffer> {
    const folder = this.folderOf(key);
    let content: Buffer;
    try {
      await this.refuseLinks(folder);
      const handle = await open(join(folder, file), constants.O_RDONLY | constants.O_NOFOLLOW);
      try {
        content = await handle.readFile();
      } finally {
        await handle.close();
      }
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT') throw new DamagedFile(`${join(folder, file)} is missing`);
      if (code === 'ELOOP') throw new DamagedFile(`${join(folder, file)} has become a link`);
      throw error;
    }
    if (hashOf(content) === sha256) return content;
    throw new DamagedFile(`${join(folder, file)} is not what was written: its SHA-256 should be ${sha256}`);
  }

  async remove(key: ProjectKey, files: readonly (string | null)[]): Promise<void> {
    for (const file of files) if (file !== null) await rm(join(this.folderOf(key), file), { force: true });
  }

  async removeProject(key: ProjectKey): Promise<void> {
    await rm(this.folderOf(key), { recursive: true, force: true });
  }

  async sweep(known: Known, minAgeMs = 0): Promise<{ removed: number; missing: string[] }> {
    const beforeMs = Date.now() - minAgeMs;
    const wanted = new Set<string>();
    for await (const { key, file } of known) wanted.add(join(this.folderOf(key), file));
    let removed = 0;
    for (const user of await readdir(this.root)) {
      if (user.startsWith(OWNER)) continue;
      for (const project of await readdir(join(this.root, user))) {
        const folder = join(this.root, user, project);
        const names = await readdir(folder);
        const leftovers = names.map((name) => join(folder, name)).filter((path) => !wanted.delete(path));
        let left = names.length;
        for (const path of leftovers) {
          if (minAgeMs > 0 && !(await isOlder(path, beforeMs))) continue;
          await rm(path, { recursive: true, force: true });
          removed++;
          left--;
        }
        if (left === 0) await rmdir(folder).catch(() => undefined);
      }
    }
    return { removed, missing: [...wanted] };
  }

  private folderOf(key: ProjectKey): string {
    return join(this.root, folderOf(key));
  }

  private async refuseLinks(folder: string): Promise<void> {
    if ((await realpath(folder)) !== folder) throw new DamagedFile(`${folder} has become a link`);
  }
}

/** Makes the names in folders durable. Writers that wait for one folder share a flush that begins after their call. */
class FolderFlushes {
  private readonly running = new Map<string, Promise<void>>();
  private readonly next = new Map<string, Promise<void>>();

  flush(folder: string): Promise<void> {
    const running = this.running.get(folder);
    if (running === undefined) return this.start(folder);
    // A flush that is under way may have missed the newest name.
    const next = this.next.get(folder) ?? running.catch(() => undefined).then(() => this.start(folder));
    this.next.set(folder, next);
    return next;
  }

  private start(folder: string): Promise<void> {
    this.next.delete(folder);
    const flush = syncFolder(folder).finally(() => {
      if (this.running.get(folder) === flush) this.running.delete(folder);
    });
    this.running.set(folder, flush);
    return flush;
  }
}

async function isOlder(path: string, thanMs: number): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found !== undefined && found.mtimeMs < thanMs;
}

async function syncUp(folder: string, root: string): Promise<void> {
  for (let at = folder; ; at = dirname(at)) {
    await syncFolder(at);
    if (at === root) return;
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

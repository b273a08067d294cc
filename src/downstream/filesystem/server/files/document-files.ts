import { createHash, randomUUID } from 'node:crypto';
import { constants, mkdirSync, realpathSync } from 'node:fs';
import { mkdir, open, readdir, realpath, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ProjectKey } from '../../../../text/lexical-index.js';

/** Names a file and what must be in it. */
export interface StoredFile {
  file: string;
  /** Of the content, in hexadecimal. */
  sha256: string;
}

/** A stored file that is missing or is not what was written. */
export class DamagedFile extends Error {}

/**
 * The contents of documents, each in a file of its own below `<root>/<user>/<project>/`. A file is written once, under a
 * name that no path has a part in, and is never changed: whoever holds its name and hash in the database owns it, and
 * one that nobody holds is a leftover.
 */
export class DocumentFiles {
  private readonly root: string;

  constructor(root: string) {
    mkdirSync(root, { recursive: true, mode: 0o700 });
    this.root = realpathSync(root);
  }

  /** Returns when the content would survive a power cut. */
  async write(key: ProjectKey, content: Uint8Array): Promise<StoredFile> {
    const folder = this.folderOf(key);
    const created = await mkdir(folder, { recursive: true, mode: 0o700 });
    await this.refuseLinks(folder);
    if (created !== undefined) await syncUp(folder, this.root);
    const file = randomUUID();
    const temporary = join(folder, `${file}.tmp`);
    try {
      const handle = await open(temporary, 'wx', 0o600);
      try {
        await handle.writeFile(content);
        await handle.sync();
      } finally {
        await handle.close();
      }
      await rename(temporary, join(folder, file));
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
    await syncFolder(folder);
    return { file, sha256: hashOf(content) };
  }

  /** @throws DamagedFile where the file is missing or its content has changed */
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

  /** Removes what no entry of `known` names; answers with how much that was, and with the entries whose file is missing. */
  async sweep(known: Iterable<{ key: ProjectKey; file: string }>): Promise<{ removed: number; missing: string[] }> {
    const wanted = new Set<string>();
    for (const { key, file } of known) wanted.add(join(this.folderOf(key), file));
    let removed = 0;
    for (const user of await readdir(this.root)) {
      for (const project of await readdir(join(this.root, user))) {
        const folder = join(this.root, user, project);
        const names = await readdir(folder);
        const leftovers = names.map((name) => join(folder, name)).filter((path) => !wanted.delete(path));
        for (const path of leftovers) await rm(path, { recursive: true, force: true });
        removed += leftovers.length;
        if (leftovers.length === names.length) await rm(folder, { recursive: true, force: true });
      }
    }
    return { removed, missing: [...wanted] };
  }

  /** A project's id may be anything and goes in by its hash; a user's is letters, digits, `_` and `-`. */
  private folderOf({ userId, projectId }: ProjectKey): string {
    return join(this.root, userId, createHash('sha256').update(projectId).digest('hex').slice(0, 32));
  }

  private async refuseLinks(folder: string): Promise<void> {
    if ((await realpath(folder)) !== folder) throw new DamagedFile(`${folder} has become a link`);
  }
}

export const hashOf = (content: Uint8Array) => createHash('sha256').update(content).digest('hex');

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

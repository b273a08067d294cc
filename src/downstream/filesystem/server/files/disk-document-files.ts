import { randomUUID } from 'node:crypto';
import { constants, mkdirSync, realpathSync } from 'node:fs';
import { mkdir, open, readdir, realpath, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ProjectKey } from '../../../../text/lexical-index.js';
import { DamagedFile, DocumentFiles, folderOf, hashOf, type Known, type StoredFile } from './document-files.js';

/** Stores each content in a file of its own below `<root>/<user>/<project>/`. */
export class DiskDocumentFiles extends DocumentFiles {
  private readonly root: string;

  constructor(root: string) {
    super();
    mkdirSync(root, { recursive: true, mode: 0o700 });
    this.root = realpathSync(root);
  }

  async write(key: ProjectKey, content: Uint8Array, file: string = randomUUID()): Promise<StoredFile> {
    const folder = this.folderOf(key);
    const created = await mkdir(folder, { recursive: true, mode: 0o700 });
    await this.refuseLinks(folder);
    if (created !== undefined) await syncUp(folder, this.root);
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

  async sweep(known: Known): Promise<{ removed: number; missing: string[] }> {
    const wanted = new Set<string>();
    for await (const { key, file } of known) wanted.add(join(this.folderOf(key), file));
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

  private folderOf(key: ProjectKey): string {
    return join(this.root, folderOf(key));
  }

  private async refuseLinks(folder: string): Promise<void> {
    if ((await realpath(folder)) !== folder) throw new DamagedFile(`${folder} has become a link`);
  }
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

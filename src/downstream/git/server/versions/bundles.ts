import { randomUUID } from 'node:crypto';
import { open, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { notFound } from '../../../../http/problem.js';
import { git } from './git-command.js';
import type { Repository } from './repository.js';

/** How long a bundle is kept for its reader after it was made. */
const KEPT_MS = 15 * 60_000;
/** How long `git bundle` may take. */
const CREATE_MS = 60_000;
const PART_BYTES = 4 * 1024 * 1024;
const NAME = /^export-[0-9a-f-]{36}\.bundle$/;
const BRANCH = 'refs/heads/main';

/** Bundles of a repository's history, kept in its folder, so that they are deleted together with it. */
export class Bundles {
  constructor(private readonly repository: Repository) {}

  /** Undefined for an empty history. */
  async create(signal: AbortSignal): Promise<{ id: string; bytes: number } | undefined> {
    if (!(await this.repository.exists())) return undefined;
    await this.removeOld();
    if ((await this.repository.newest()).length === 0) return undefined;
    const id = randomUUID();
    const file = this.fileOf(id);
    try {
      await git(this.repository.dir, ['bundle', 'create', '--quiet'], {
        operands: [file, BRANCH],
        timeoutMs: CREATE_MS,
        signal,
      });
    } catch (error) {
      await rm(file, { force: true });
      throw error;
    }
    setTimeout(() => void rm(file, { force: true }).catch(() => undefined), KEPT_MS).unref();
    return { id, bytes: (await stat(file)).size };
  }

  /** A part from `offset` on; empty behind the end. @throws Problem 404 */
  async read(id: string, offset: number): Promise<Buffer> {
    const file = await open(this.fileOf(id)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
      throw notFound(`bundle_id: the bundle ${id} is not kept any more; make a new one`);
    });
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(PART_BYTES), 0, PART_BYTES, offset);
      return buffer.subarray(0, bytesRead);
    } finally {
      await file.close();
    }
  }

  /** Those of a process that has ended meanwhile. */
  private async removeOld(): Promise<void> {
    for (const name of await readdir(this.repository.dir)) {
      if (!NAME.test(name)) continue;
      const file = join(this.repository.dir, name);
      const found = await stat(file).catch(() => undefined);
      if (found !== undefined && Date.now() - found.mtimeMs > KEPT_MS) await rm(file, { force: true });
    }
  }

  private fileOf(id: string): string {
    return join(this.repository.dir, `export-${id}.bundle`);
  }
}

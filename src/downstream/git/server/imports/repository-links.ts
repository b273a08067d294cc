import { type Dirent } from 'node:fs';
import { lstat, readdir, readFile, realpath } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';

/** The depth of alternates of alternates; git itself follows at most five. */
const MAX_DEPTH = 5;
/** How many folders are searched for links; a repository has some hundreds. */
const MAX_FOLDERS = 20_000;

/**
 * Finds entries that would make git read objects from another place: a `.git` file, `commondir`, alternates, and links
 * among the files that git keeps.
 * @param repository a real path
 * @param inside whether a real path may be read
 * @returns the name of an entry that leads out of the allowed places; undefined: there is none
 */
export async function leadsOutOf(repository: string, inside: (path: string) => boolean): Promise<string | undefined> {
  const walk = new LinkWalk(repository, inside);
  const dotGit = join(repository, '.git');
  if (await exists(dotGit)) return walk.follow(dotGit, 0);
  return walk.folder(repository, 0);
}

class LinkWalk {
  private folders = 0;

  constructor(
    private readonly root: string,
    private readonly inside: (path: string) => boolean,
  ) {}

  /** Checks a file or folder that git would open. */
  async follow(path: string, depth: number): Promise<string | undefined> {
    const real = await realpath(path).catch(() => null);
    if (real === null || !this.inside(real) || depth > MAX_DEPTH) return this.nameOf(path);
    if ((await lstat(real)).isDirectory()) return this.folder(real, depth);
    const target = /^gitdir: (.+?)\n*$/.exec(await readFile(real, 'utf8'))?.[1];
    return target === undefined ? undefined : this.follow(resolve(real, '..', target), depth + 1);
  }

  /** Checks a repository's own folder. */
  async folder(dir: string, depth: number): Promise<string | undefined> {
    const common = (await text(join(dir, 'commondir')))?.trim();
    const objects = join(dir, 'objects');
    const alternates = [
      ...((await text(join(objects, 'info', 'alternates'))) ?? '').split('\n'),
      ...((await text(join(objects, 'info', 'http-alternates'))) ?? '').split('\n'),
    ].filter((line) => line !== '' && !line.startsWith('#'));
    const targets = [
      ...(common === undefined || common === '' ? [] : [resolve(dir, common)]),
      ...alternates.map((line) => resolve(objects, line)),
    ];
    for (const target of targets) {
      const found = await this.follow(target, depth + 1);
      if (found !== undefined) return found;
    }
    return this.links(dir);
  }

  /** Checks for links in a folder that lead out of the allowed places. */
  private async links(dir: string): Promise<string | undefined> {
    if (++this.folders > MAX_FOLDERS) return this.nameOf(dir);
    const entries: Dirent[] = await readdir(dir, { withFileTypes: true }).catch(() => []);
    for (const entry of entries) {
      const path = join(dir, entry.name);
      if (entry.isSymbolicLink()) {
        const real = await realpath(path).catch(() => null);
        if (real !== null && !this.inside(real)) return this.nameOf(path);
      } else if (entry.isDirectory()) {
        const found = await this.links(path);
        if (found !== undefined) return found;
      }
    }
    return undefined;
  }

  private nameOf(path: string): string {
    return relative(this.root, path).startsWith('..') ? '.git' : relative(this.root, path);
  }
}

const text = (file: string) => readFile(file, 'utf8').catch(() => undefined);
const exists = (path: string) =>
  lstat(path).then(
    () => true,
    () => false,
  );

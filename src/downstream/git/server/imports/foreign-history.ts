import { pathFault } from '../../../../contract/document-path.js';
import { git } from '../versions/git-command.js';
import type { StoredVersion } from '../versions/version-store.js';

const COMMITS_A_PAGE = 500;
const REGULAR = /^100(644|755)$/;

/** One version of a file, and the blob that holds it; null: deleted. */
export interface ForeignVersion extends StoredVersion {
  blob: string | null;
}

/** Reads the history of a branch that was fetched into a repository: text files alone, up to a size. */
export class ForeignHistory {
  constructor(
    private readonly dir: string,
    private readonly maxFileBytes: number,
  ) {}

  /** All commits up to `head`, oldest first. */
  async commits(head: string): Promise<string[]> {
    const out = await git(this.dir, ['rev-list', '--reverse', '--topo-order', head]);
    return out.toString().split('\n').filter(Boolean);
  }

  /** What the commits changed, some hundred commits at a time. */
  async *versions(commits: readonly string[]): AsyncGenerator<ForeignVersion[]> {
    for (let at = 0; at < commits.length; at += COMMITS_A_PAGE) {
      const page = commits.slice(at, at + COMMITS_A_PAGE);
      const format = '--format=%x02%H%x00%an%x00%ae%x00%cI%x00%B%x00%x03';
      const options = ['--no-walk=unsorted', '--stdin', '--raw', '--numstat', '-z', '--no-abbrev', '--no-renames'];
      const quiet = ['--no-ext-diff', '--no-textconv', '--no-show-signature', '--no-notes'];
      const out = await git(this.dir, ['log', ...options, ...quiet, format], { input: page.join('\n') });
      yield this.small(parseLog(out.toString()));
    }
  }

  /** The regular files at a commit by path, and how many entries are none. */
  async files(head: string): Promise<{ files: Map<string, string>; skipped: number }> {
    const out = await git(this.dir, ['ls-tree', '-r', '-z', '--full-tree', head]);
    const files = new Map<string, string>();
    let skipped = 0;
    for (const entry of out.toString().split('\0').filter(Boolean)) {
      const [, mode, blob, path] = /^(\d+) \w+ ([0-9a-f]+)\t([^]*)$/.exec(entry) as RegExpExecArray;
      if (REGULAR.test(mode as string) && pathFault(path as string) === undefined)
        files.set(path as string, blob as string);
      else skipped++;
    }
    return { files, skipped };
  }

  private async small(versions: readonly ForeignVersion[]): Promise<ForeignVersion[]> {
    const blobs = [...new Set(versions.map(({ blob }) => blob).filter((blob) => blob !== null))];
    if (blobs.length === 0) return [...versions];
    const format = '--batch-check=%(objectname) %(objectsize)';
    const out = await git(this.dir, ['cat-file', format], { input: `${blobs.join('\n')}\n` });
    const large = new Set<string>();
    for (const line of out.toString().split('\n')) {
      const [blob, bytes] = line.split(' ');
      if (Number(bytes) > this.maxFileBytes) large.add(blob as string);
    }
    return versions.filter(({ blob }) => blob === null || !large.has(blob));
  }
}

/** The output of `git log --raw --numstat -z` with the format above; binary files and what is no regular file left out. */
function parseLog(out: string): ForeignVersion[] {
  const versions: ForeignVersion[] = [];
  for (const block of out.split('\x02').slice(1)) {
    const end = block.indexOf('\0\x03');
    const [commit = '', author = '', email = '', time = '', ...message] = block.slice(0, end).split('\0');
    const changes = block
      .slice(end + 2)
      .split('\0')
      .map((field) => field.replace(/^\n+/, ''));
    const binary = new Set(changes.map((field) => /^-\t-\t([^]+)$/.exec(field)?.[1]).filter(Boolean));
    for (const [index, field] of changes.entries()) {
      const raw = /^:(\d+) (\d+) [0-9a-f]+ ([0-9a-f]+) ([AMDT])$/.exec(field);
      const path = changes[index + 1];
      if (raw === null || path === undefined || pathFault(path) !== undefined || binary.has(path)) continue;
      const [, before = '', after = '', blob = ''] = raw;
      const deleted = !REGULAR.test(after);
      if (deleted && !REGULAR.test(before)) continue;
      versions.push({
        version: commit,
        commit,
        path,
        author: author || email || 'unknown',
        email,
        message: message.join('').trim() || '(no message)',
        committed_at: new Date(time).toISOString(),
        deleted,
        blob: deleted ? null : blob,
      });
    }
  }
  return versions;
}

import { pathFault } from '../../../../contract/document-path.js';
import { git, isObjectName } from '../versions/git-command.js';
import type { StoredVersion } from '../versions/version-store.js';

const COMMITS_A_PAGE = 500;
const REGULAR = /^100(644|755)$/;
/** A longer message is truncated. */
const MAX_MESSAGE_CHARS = 10_000;
const MAX_NAME_CHARS = 500;

/** One version of a file, and the blob that holds it; null for a deletion. */
export interface ForeignVersion extends StoredVersion {
  blob: string | null;
}

type Commit = Pick<StoredVersion, 'commit' | 'author' | 'email' | 'message' | 'committed_at'>;
interface FileChange {
  commit: string;
  path: string;
  deleted: boolean;
  blob: string;
}

/**
 * Reads the history of a branch that was fetched into a repository: text files up to a size limit. All data in the
 * commits is treated as text: their names come from git only, and fields end at NUL, which no field can contain.
 */
export class ForeignHistory {
  constructor(
    private readonly dir: string,
    private readonly maxFileBytes: number,
  ) {}

  /** All commits up to `head`, oldest first. */
  async commits(head: string): Promise<string[]> {
    const out = await git(this.dir, ['rev-list', '--reverse', '--topo-order'], { revisions: [head] });
    return out.toString().split('\n').filter(Boolean);
  }

  /** The changes of the commits, in groups of some hundred commits. */
  async *versions(commits: readonly string[]): AsyncGenerator<ForeignVersion[]> {
    for (let at = 0; at < commits.length; at += COMMITS_A_PAGE) {
      const page = commits.slice(at, at + COMMITS_A_PAGE);
      const about = await this.about(page);
      const changes = await this.small(await this.changes(page));
      yield changes.map(({ blob, ...change }) => {
        const commit = about.get(change.commit) as Commit;
        return { ...commit, ...change, version: change.commit, blob: change.deleted ? null : blob };
      });
    }
  }

  /** The regular files at a commit by path, and the number of other entries. */
  async files(head: string): Promise<{ files: Map<string, string>; skipped: number }> {
    const out = await git(this.dir, ['ls-tree', '-r', '-z', '--full-tree'], { revisions: [head] });
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

  /** The author, time and message of each commit. @throws Error where git's output does not match these commits */
  private async about(page: readonly string[]): Promise<Map<string, Commit>> {
    const options = ['--no-walk=unsorted', '--stdin', '-z', '--no-show-signature', '--no-notes', '--no-patch'];
    const format = '--format=%H%x00%an%x00%ae%x00%cI%x00%B';
    const out = await git(this.dir, ['log', ...options, format], { input: page.join('\n') });
    const fields = out.toString().split('\0');
    const about = new Map<string, Commit>();
    for (const [index, hash] of page.entries()) {
      const [commit, author = '', email = '', time = '', message = ''] = fields.slice(5 * index, 5 * index + 5);
      if (commit !== hash) throw new Error(`commit ${hash} can't be read: a field of it holds a NUL`);
      about.set(commit, {
        commit,
        author: oneLine(author) || oneLine(email) || 'unknown',
        email: oneLine(email),
        message: message.trim().slice(0, MAX_MESSAGE_CHARS) || '(no message)',
        committed_at: timeOf(time),
      });
    }
    return about;
  }

  /** The changes of each commit to the text files among its paths; a merge has none of its own. */
  private async changes(page: readonly string[]): Promise<FileChange[]> {
    const options = ['--stdin', '--root', '-r', '-z', '--raw', '--numstat', '--no-abbrev', '--no-renames'];
    const quiet = ['--no-ext-diff', '--no-textconv'];
    const out = await git(this.dir, ['diff-tree', ...options, ...quiet], { input: `${page.join('\n')}\n` });
    return parseDiffTree(out.toString().split('\0'));
  }

  private async small(changes: readonly FileChange[]): Promise<FileChange[]> {
    const blobs = [...new Set(changes.filter(({ deleted }) => !deleted).map(({ blob }) => blob))];
    if (blobs.length === 0) return [...changes];
    const format = '--batch-check=%(objectname) %(objectsize)';
    const out = await git(this.dir, ['cat-file', format], { input: `${blobs.join('\n')}\n` });
    const large = new Set<string>();
    for (const line of out.toString().split('\n')) {
      const [blob, bytes] = line.split(' ');
      if (Number(bytes) > this.maxFileBytes) large.add(blob as string);
    }
    return changes.filter(({ deleted, blob }) => deleted || !large.has(blob));
  }
}

/**
 * The output of `git diff-tree --stdin --raw --numstat -z`: a commit's name, its raw lines, each followed by the path,
 * and then a line with counts for each of them. Binary files and other entries that are not regular files are left out.
 */
function parseDiffTree(fields: readonly string[]): FileChange[] {
  const changes: FileChange[] = [];
  const binary = new Set<string>();
  let commit = '';
  for (let at = 0; at < fields.length; at++) {
    const field = fields[at] as string;
    if (isObjectName(field)) commit = field;
    const counts = /^-\t-\t([^]+)$/.exec(field);
    if (counts !== null) binary.add(`${commit}:${counts[1]}`);
    const raw = /^:(\d+) (\d+) [0-9a-f]+ ([0-9a-f]+) [A-Z]$/.exec(field);
    if (raw === null) continue;
    const path = fields[++at];
    if (path === undefined || pathFault(path) !== undefined) continue;
    const [, before = '', after = '', blob = ''] = raw;
    const deleted = !REGULAR.test(after);
    if (deleted && !REGULAR.test(before)) continue;
    changes.push({ commit, path, deleted, blob });
  }
  return changes.filter(({ commit: of, path }) => !binary.has(`${of}:${path}`));
}

/** A name without control characters. */
function oneLine(text: string): string {
  return text
    .replace(/[\u0000-\u001f\u007f]/g, ' ')
    .trim()
    .slice(0, MAX_NAME_CHARS);
}

/** UTC, ISO 8601; 1970 for an invalid time. */
function timeOf(text: string): string {
  const ms = Date.parse(text);
  return new Date(Number.isNaN(ms) ? 0 : ms).toISOString();
}

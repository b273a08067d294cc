import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Problem } from '../../../../http/problem.js';
import { git } from './git-command.js';

const MAX_DIFF_BYTES = 8 * 1024 * 1024;
const BEGINNING_BYTES = 65_536;
/** git takes seconds for more lines, and no page shows so many. */
const MAX_BLAMED_LINES = 20_000;

const BRANCH = 'refs/heads/main';
/** A history that is not complete yet. */
const BESIDE = 'refs/heads/filling';
/** Of the texts of one answer; a single one may be larger. */
const MAX_TEXTS_BYTES = 4 * 1024 * 1024;
/** From this many commits on their objects stay in a pack. */
const PACKED_COMMITS = 8;
/** A branch is locked while one file is written: for milliseconds. */
const STALE_LOCK_MS = 1000;

export interface Change {
  path: string;
  version: string;
  /** null: deleted. */
  text: string | null;
  author: { name: string; email: string };
  message: string;
  /** UTC, ISO 8601. */
  committedAt: string;
}

/** Several changes in one commit. */
export interface ChangeOfSeveral extends Omit<Change, 'path' | 'text'> {
  changes: readonly Pick<Change, 'path' | 'text'>[];
}

/** Documents that a move or a copy puts under other paths, in one commit. */
export interface Relocation extends Omit<Change, 'path' | 'text'> {
  files: readonly {
    /** The path that the document leaves; null where it stays there, or where the history has nothing there. */
    left: string | null;
    to: string;
    /** The text, or the version in the history that has it. */
    text: string | { commit: string; path: string };
  }[];
}

/**
 * One bare repository. `git fast-import` writes whole commits in one process, without a work tree, so no file on the
 * disk has a name from a user. Writers must take turns.
 */
export class Repository {
  constructor(readonly dir: string) {}

  async exists(): Promise<boolean> {
    return stat(this.dir).then(
      () => true,
      () => false,
    );
  }

  /**
   * Creates the repository if it is missing; an incomplete one is never visible. Only the current writer may call it.
   * It removes old locks, which a killed git process left.
   */
  async init(): Promise<void> {
    if (await this.exists()) return this.unlock();
    const draft = `${this.dir}.new`;
    await rm(draft, { recursive: true, force: true });
    await mkdir(draft, { recursive: true });
    await git(draft, ['init', '--quiet', '--bare', '--initial-branch=main']);
    await mkdir(dirname(this.dir), { recursive: true });
    await rename(draft, this.dir);
  }

  /** The lock of a running git process must stay, also of one that a previous server process started. */
  private async unlock(): Promise<void> {
    const lock = join(this.dir, `${BRANCH}.lock`);
    const found = await stat(lock).catch(() => undefined);
    if (found !== undefined && Date.now() - found.mtimeMs > STALE_LOCK_MS) await rm(lock, { force: true });
  }

  /**
   * Commits changes in their order, in one process: all of them or none.
   * @param isFirst whether the history has no commit yet
   * @returns the commits' hashes, in the order of the changes
   */
  async commit(changes: readonly (Change | Relocation)[], isFirst: boolean): Promise<string[]> {
    const blobs = await this.blobsOf(changes.flatMap((change) => ('files' in change ? change.files : [])));
    const fileCommands = (change: Change | Relocation) =>
      'files' in change ? relocationsOf(change, blobs) : writingOf(change.path, change.text);
    return this.fastImport(
      changes.map((change, i) => commandsOf(change, isFirst || i > 0 ? null : BRANCH, fileCommands(change))),
    );
  }

  /**
   * Makes commits on a branch beside the history, which {@link replaceHistory} makes the history.
   * @returns the commits' hashes, in the order of the changes
   */
  async commitBeside(changes: readonly ChangeOfSeveral[], isFirst: boolean): Promise<string[]> {
    if (isFirst) await this.forgetBeside();
    const commits = changes.map((change, i) => {
      const writing = change.changes.flatMap(({ path, text }) => writingOf(path, text));
      return commandsOf(change, isFirst || i > 0 ? null : BESIDE, writing);
    });
    return this.fastImport(commits, BESIDE);
  }

  /** The commits of the earlier history stay readable by their names. */
  async replaceHistory(): Promise<void> {
    const tip = (await git(this.dir, ['rev-parse', '--verify'], { revisions: [BESIDE] })).toString().trim();
    await git(this.dir, ['update-ref', BRANCH], { revisions: [tip] });
  }

  async forgetBeside(): Promise<void> {
    await git(this.dir, ['update-ref', '-d', BESIDE]);
  }

  /** The texts of documents at commits, from the first on as many as fit into an answer, at least one. */
  async texts(places: readonly FileAt[]): Promise<string[]> {
    const named = places.map((place) => `${placeOf(place)}\n`);
    const sizes = await git(this.dir, ['cat-file', '--batch-check=%(objectsize)'], { input: named.join('') });
    let bytes = 0;
    const fitting = sizes
      .toString()
      .split('\n')
      .findIndex((size, i) => (bytes += Number(size)) > MAX_TEXTS_BYTES && i > 0);
    const taken = named.slice(0, fitting === -1 ? named.length : fitting);
    return textsIn(await git(this.dir, ['cat-file', '--batch=%(objectsize)'], { input: taken.join('') }), taken.length);
  }

  /** The names of the blobs of texts that the history has, by where they are. */
  private async blobsOf(files: Relocation['files']): Promise<Map<string, string>> {
    const wanted = files.flatMap(({ text }) => (typeof text === 'string' ? [] : [placeOf(text)]));
    if (wanted.length === 0) return new Map();
    const input = wanted.map((place) => `${place}\n`).join('');
    const out = await git(this.dir, ['cat-file', '--batch-check=%(objecttype) %(objectname)'], { input });
    const lines = out.toString().trimEnd().split('\n');
    return new Map(
      wanted.map((place, i) => {
        const [type, name = ''] = (lines[i] ?? '').split(' ');
        if (type !== 'blob') throw new Error(`the history has no text at ${place}: ${lines[i]}`);
        return [place, name];
      }),
    );
  }

  /**
   * Adds `files`, which the commit `other` contains, to this history by a merge commit of both, so that later changes
   * continue from there.
   * @returns the commit's hash
   */
  async merge(
    other: string,
    files: readonly { path: string; blob: string | null }[],
    message: string,
  ): Promise<string> {
    const isFirst = (await this.newest()).length === 0;
    const now = `Caudex <> ${Math.floor(Date.now() / 1000)} +0000`;
    const [commit] = await this.fastImport([
      [
        `committer ${now}`,
        data(`${message}\n\n${VERSION_TRAILER}: import-${other}\n`),
        ...(isFirst ? [`from ${other}`, 'deleteall'] : [`from ${BRANCH}^0`, `merge ${other}`]),
        ...files.map(({ path, blob }) => (blob === null ? `D ${quoted(path)}` : `M 100644 ${blob} ${quoted(path)}`)),
      ],
    ]);
    return commit as string;
  }

  private async fastImport(commits: readonly (readonly string[])[], branch = BRANCH): Promise<string[]> {
    const durable = ['-c', 'core.fsyncMethod=fsync', '-c', 'core.fsync=all'];
    const commands = commits.flatMap((commit, i) => [
      ...[`commit ${branch}`, `mark :${i + 1}`, ...commit],
      `get-mark :${i + 1}`,
    ]);
    const input = `${commands.join('\n')}\n`;
    // One pack for many commits: git would write, and flush, each of their objects as a file of its own.
    const packed = [...durable, '-c', 'fastimport.unpackLimit=1'];
    const out = await (commits.length < PACKED_COMMITS
      ? git(this.dir, [...durable, 'fast-import', '--quiet'], { input })
      : git(this.dir, [...packed, 'fast-import', '--quiet'], { input }));
    return out.toString().trim().split('\n');
  }

  /** The newest 400 commits (twice the most of a batch), newest first, with their versions; none in an empty history. */
  async newest(): Promise<{ commit: string; version: string }[]> {
    const format = `--format=%H %(trailers:key=${VERSION_TRAILER},valueonly,separator=%x20)`;
    const options = ['--max-count=400', '--first-parent', format];
    const out = await git(this.dir, ['log', ...options], { revisions: [BRANCH], operands: [] }).catch(() => null);
    if (out === null) return [];
    return [...out.toString().matchAll(/^(\S+) (.*)$/gm)].map(([, commit, version]) => ({
      commit: commit as string,
      version: version as string,
    }));
  }

  async textAt(commit: string, path: string, signal?: AbortSignal): Promise<string> {
    return (await git(this.dir, ['cat-file', 'blob'], { revisions: [`${commit}:${path}`], signal })).toString();
  }

  /** A unified diff by lines; empty where the two are equal, and cut off after `MAX_DIFF_BYTES`. */
  async diff(from: FileAt, to: FileAt, signal: AbortSignal): Promise<string> {
    const plain = ['--no-color', '--no-ext-diff', '--no-textconv'];
    const isMoved = from.path !== to.path;
    const revisions = isMoved ? [placeOf(from), placeOf(to)] : [from.commit, to.commit];
    const which = { revisions, operands: isMoved ? [] : [to.path], enoughBytes: MAX_DIFF_BYTES };
    return (await git(this.dir, ['diff', ...plain], { ...which, signal })).toString();
  }

  /** The beginning of what a commit did to a document: a unified diff by lines. */
  async changeOf(
    { commit, path, moved_from }: FileAt & { moved_from?: string | undefined },
    signal: AbortSignal,
  ): Promise<string> {
    const options = ['--format=', '--no-color', '--no-ext-diff', '--no-textconv', '--unified=1', '--first-parent'];
    // With both paths git shows a move as one.
    const operands = moved_from === undefined ? [path] : [path, moved_from];
    const which = { revisions: [commit], operands, enoughBytes: BEGINNING_BYTES };
    return (await git(this.dir, ['show', ...options], { ...which, signal })).toString();
  }

  /** For each line of the text its commit. @throws Problem 422 `too_many_lines` */
  async blame(commit: string, path: string, signal: AbortSignal): Promise<{ commit: string; text: string }[]> {
    const count = lineCount(await this.textAt(commit, path, signal));
    if (count > MAX_BLAMED_LINES) throw tooManyLines(path, count);
    const out = await git(this.dir, ['blame', '--porcelain'], { revisions: [commit], operands: [path], signal });
    const lines: { commit: string; text: string }[] = [];
    let current = '';
    for (const row of out.toString().split('\n')) {
      if (row.startsWith('\t')) lines.push({ commit: current, text: row.slice(1) });
      else if (/^[0-9a-f]{40} \d/.test(row)) current = row.slice(0, 40);
    }
    return lines;
  }

  async remove(): Promise<void> {
    await rm(this.dir, { recursive: true, force: true });
  }
}

function lineCount(text: string): number {
  let lines = 1;
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) lines++;
  return lines;
}

function tooManyLines(path: string, lines: number): Problem {
  return new Problem({
    status: 422,
    code: 'too_many_lines',
    detail: `path: ${path} has ${lines} lines; who changed each of them is told up to ${MAX_BLAMED_LINES} lines`,
  });
}

const VERSION_TRAILER = 'Caudex-Version';

/** A document in one of its commits. */
interface FileAt {
  commit: string;
  path: string;
}

/** The output of `git cat-file --batch=%(objectsize)`: for each text its size, a line end, the text, a line end. */
function textsIn(out: Buffer, count: number): string[] {
  const texts: string[] = [];
  for (let at = 0; texts.length < count;) {
    const end = out.indexOf('\n', at);
    const bytes = Number(out.toString('latin1', at, end));
    if (end === -1 || Number.isNaN(bytes)) throw new Error(`git has no text: ${out.toString('utf8', at, at + 200)}`);
    texts.push(out.toString('utf8', end + 1, end + 1 + bytes));
    at = end + 2 + bytes;
  }
  return texts;
}

const placeOf = ({ commit, path }: FileAt) => `${commit}:${path}`;

/**
 * The commit of one change, in fast-import's language.
 * @param parent the branch whose tip it follows; null where it follows the previous commit of the same input, or none
 */
function commandsOf(
  change: Omit<Change, 'path' | 'text'>,
  parent: string | null,
  fileCommands: readonly string[],
): string[] {
  const person = `${line(change.author.name)} <${line(change.author.email)}>`;
  const seconds = Math.floor(Date.parse(change.committedAt) / 1000);
  return [
    `author ${person} ${seconds} +0000`,
    `committer ${person} ${seconds} +0000`,
    data(`${change.message}\n\n${VERSION_TRAILER}: ${line(change.version)}\n`),
    ...(parent === null ? [] : [`from ${parent}^0`]),
    ...fileCommands,
  ];
}

/** First all deletions: a document may take the path that another one leaves. */
function relocationsOf({ files }: Relocation, blobs: ReadonlyMap<string, string>): string[] {
  return [
    ...files.flatMap(({ left }) => (left === null ? [] : writingOf(left, null))),
    ...files.flatMap(({ to, text }) =>
      typeof text === 'string' ? writingOf(to, text) : [`M 100644 ${blobs.get(placeOf(text))} ${quoted(to)}`],
    ),
  ];
}

function writingOf(path: string, text: string | null): string[] {
  return text === null ? [`D ${quoted(path)}`] : [`M 100644 inline ${quoted(path)}`, data(text)];
}

/** fast-import's counted data: no byte of it is read as a command. */
function data(text: string): string {
  return `data ${Buffer.byteLength(text)}\n${text}`;
}

/** fast-import's C-style quoted path. */
function quoted(path: string): string {
  return `"${path.replace(/["\\]/g, (char) => `\\${char}`).replaceAll('\n', '\\n')}"`;
}

/** Names and addresses end at `<`, `>` and line ends in a commit. */
function line(text: string): string {
  return text.replace(/[<>\u0000-\u001f\u007f]/g, ' ').trim();
}

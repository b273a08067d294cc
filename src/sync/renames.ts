import { posix } from 'node:path';

export interface Rename {
  from: string;
  to: string;
}

/** One request: a document, or a whole folder where the paths end with `/`. */
export interface Move extends Rename {
  documents: readonly Rename[];
}

/** The most that the server moves in one call. */
const MAX_DOCUMENTS = 1000;

/** Digests of files, by path. */
type Digests = ReadonlyMap<string, string>;

/**
 * Groups renamed files into moves.
 * @param gone documents of the server whose files are missing
 * @param fresh files that the server does not have
 * @param remote the paths of all documents of the server: a folder is moved only with all of them
 */
export function movesOf(gone: Digests, fresh: Digests, remote: Iterable<string>): Move[] {
  const renames = renamesOf(gone, fresh);
  const folders = folderMoves(renames, gone, fresh, remote);
  const [left, taken] = [new Set<string>(), new Set<string>()];
  for (const { from, to } of folders.flatMap(({ documents }) => documents)) {
    left.add(from);
    taken.add(to);
  }
  const others = renames.filter(({ from, to }) => !left.has(from) && !taken.has(to));
  return [...folders, ...others.map((rename) => ({ ...rename, documents: [rename] }))];
}

/** Pairs missing and new files with equal content; of several first those with the same name. */
function renamesOf(gone: Digests, fresh: Digests): Rename[] {
  const renames: Rename[] = [];
  const [left, taken] = [new Set(gone.keys()), new Set<string>()];
  for (const keyOf of [byNameAndContent, byContent]) {
    const sources = new Map<string, string[]>();
    for (const from of left) {
      const key = keyOf(from, gone);
      const same = sources.get(key);
      if (same === undefined) sources.set(key, [from]);
      else same.push(from);
    }
    for (const to of fresh.keys()) {
      const from = taken.has(to) ? undefined : sources.get(keyOf(to, fresh))?.shift();
      if (from === undefined) continue;
      left.delete(from);
      taken.add(to);
      renames.push({ from, to });
    }
  }
  return renames;
}

const byContent = (path: string, digests: Digests) => String(digests.get(path));
const byNameAndContent = (path: string, digests: Digests) => `${byContent(path, digests)} ${posix.basename(path)}`;

/**
 * The folders that were renamed: all documents of the server below one are missing here and new below the other, half of
 * them or more with equal content. Of folders in each other the outermost.
 */
function folderMoves(renames: readonly Rename[], gone: Digests, fresh: Digests, remote: Iterable<string>): Move[] {
  const paths = [...remote].sort(byCodeUnits);
  const moves: Move[] = [];
  const moved = new Set<string>();
  for (const [key, equal] of candidates(renames)) {
    const { from, to } = JSON.parse(key) as Rename;
    if (to.startsWith(from)) continue;
    const documents = below(paths, from).map((path) => ({ from: path, to: to + path.slice(from.length) }));
    const isWhole = documents.every((one) => gone.has(one.from) && fresh.has(one.to) && !moved.has(one.from));
    if (!isWhole || documents.length < 2 || documents.length > MAX_DOCUMENTS || 2 * equal < documents.length) continue;
    moves.push({ from, to, documents });
    for (const one of documents) moved.add(one.from);
  }
  return moves;
}

/** Pairs of folders that differ by a renamed folder, the outermost first, each with the number of files that say so. */
function candidates(renames: readonly Rename[]): [string, number][] {
  const counts = new Map<string, number>();
  for (const { from, to } of renames) {
    let [a, b] = [from, to];
    while (posix.basename(a) === posix.basename(b) && a.includes('/') && b.includes('/')) {
      [a, b] = [posix.dirname(a), posix.dirname(b)];
      const key = JSON.stringify({ from: `${a}/`, to: `${b}/` });
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
  }
  return [...counts].sort(([a], [b]) => depthOf(a) - depthOf(b));
}

const depthOf = (key: string) => (JSON.parse(key) as Rename).from.split('/').length;

/** The paths below a folder, of paths in order. */
function below(paths: readonly string[], folder: string): string[] {
  let [low, high] = [0, paths.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((paths[middle] as string) < folder) low = middle + 1;
    else high = middle;
  }
  let end = low;
  while (paths[end]?.startsWith(folder) === true) end++;
  return paths.slice(low, end);
}

const byCodeUnits = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

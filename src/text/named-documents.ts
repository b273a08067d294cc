import { posix } from 'node:path';
import { LRUCache } from 'lru-cache';

const MARKDOWN = /\.(?:md|markdown)$/i;
/** The most names whose documents are remembered. */
const MAX_NAMES = 10_000;

/** The documents that a name may mean. */
interface Candidates {
  /** The first one in each folder. */
  byFolder: Map<string, string>;
  /** The one with the shortest path. */
  shortest: string | undefined;
}

/** Documents that are found by name in any folder, as a wiki link such as `[[Plan]]` or `[[notes/Plan]]` names them. */
export class NamedDocuments {
  /** Paths with their spelling, by the key that {@link keyOf} makes of them. */
  private readonly paths = new Map<string, Map<string, string>>();
  /** By spelled name. A text may repeat a name, and many documents may share it, so the paths are compared once. */
  private readonly found = new LRUCache<string, Candidates>({ max: MAX_NAMES });

  constructor(paths: Iterable<string>) {
    for (const path of paths) this.add(path);
  }

  add(path: string): void {
    const key = keyOf(path);
    const paths = this.paths.get(key) ?? new Map<string, string>();
    paths.set(path, spelled(path));
    this.paths.set(key, paths);
    this.found.clear();
  }

  delete(path: string): void {
    this.paths.get(keyOf(path))?.delete(path);
    this.found.clear();
  }

  /** The document nearest to the one with the link: one in the same folder, else the one with the shortest path. */
  find(name: string, from: string): string | undefined {
    const wanted = spelled(name);
    let candidates = this.found.get(wanted);
    if (candidates === undefined) {
      candidates = this.candidates(wanted);
      this.found.set(wanted, candidates);
    }
    return candidates.byFolder.get(posix.dirname(from)) ?? candidates.shortest;
  }

  private candidates(wanted: string): Candidates {
    const candidates: Candidates = { byFolder: new Map(), shortest: undefined };
    const suffix = `/${wanted}`;
    for (const [path, spelling] of this.paths.get(posix.basename(wanted)) ?? []) {
      if (spelling !== wanted && !spelling.endsWith(suffix)) continue;
      const folder = posix.dirname(path);
      if (!candidates.byFolder.has(folder)) candidates.byFolder.set(folder, path);
      if (candidates.shortest === undefined || isBefore(path, candidates.shortest)) candidates.shortest = path;
    }
    return candidates;
  }
}

/** The common key of a wiki link and its document: the file name without its folder and `.md`. */
export const keyOf = (path: string) => posix.basename(spelled(path));

const spelled = (path: string) => path.trim().normalize('NFC').toLowerCase().replace(MARKDOWN, '');
const isBefore = (one: string, other: string) =>
  one.length < other.length || (one.length === other.length && one < other);

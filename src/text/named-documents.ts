import { posix } from 'node:path';

const MARKDOWN = /\.(?:md|markdown)$/i;

/** Documents that are found by name in any folder, as a wiki link such as `[[Plan]]` or `[[notes/Plan]]` names them. */
export class NamedDocuments {
  /** Paths by the key that {@link keyOf} makes of them. */
  private readonly paths = new Map<string, Set<string>>();

  constructor(paths: Iterable<string>) {
    for (const path of paths) this.add(path);
  }

  add(path: string): void {
    const key = keyOf(path);
    const paths = this.paths.get(key) ?? new Set();
    paths.add(path);
    this.paths.set(key, paths);
  }

  delete(path: string): void {
    this.paths.get(keyOf(path))?.delete(path);
  }

  /** The document nearest to the one with the link: one in the same folder, else the one with the shortest path. */
  find(name: string, from: string): string | undefined {
    const wanted = spelled(name);
    const paths = [...(this.paths.get(keyOf(name)) ?? [])].filter((path) => endsWith(spelled(path), wanted));
    const folder = posix.dirname(from);
    return (
      paths.find((path) => posix.dirname(path) === folder) ??
      paths.sort((a, b) => a.length - b.length || (a < b ? -1 : 1))[0]
    );
  }
}

/** The common key of a wiki link and its document: the file name without its folder and `.md`. */
export const keyOf = (path: string) => posix.basename(spelled(path));

const spelled = (path: string) => path.trim().normalize('NFC').toLowerCase().replace(MARKDOWN, '');
const endsWith = (path: string, name: string) => path === name || path.endsWith(`/${name}`);

/** Folders that programs create for themselves; their contents are skipped too. */
const FOLDERS: Record<string, string> = {
  '.git': 'the data of a version control system',
  '.hg': 'the data of a version control system',
  '.svn': 'the data of a version control system',
  '.obsidian': 'the settings of Obsidian',
  '.trash': 'deleted notes',
  __MACOSX: 'metadata of macOS',
  node_modules: 'installed packages',
  '$RECYCLE.BIN': 'deleted files',
};
const FILES: [RegExp, string][] = [
  [/^\._/, 'metadata of macOS'],
  [/^\.DS_Store$/, 'metadata of macOS'],
  [/^(?:Thumbs\.db|desktop\.ini)$/i, 'metadata of Windows'],
];

/** A skipped entry of an upload: a file, or a whole folder (`path` ends with a slash). */
export interface Junk {
  path: string;
  reason: string;
}

/** Undefined for a path that may be a user's document. */
export function junkOf(path: string): Junk | undefined {
  const segments = path.split('/');
  const name = segments.pop() as string;
  const folder = segments.findIndex((segment) => Object.hasOwn(FOLDERS, segment));
  if (folder !== -1) {
    return {
      path: `${segments.slice(0, folder + 1).join('/')}/`,
      reason: FOLDERS[segments[folder] as string] as string,
    };
  }
  const reason = FILES.find(([pattern]) => pattern.test(name))?.[1];
  return reason === undefined ? undefined : { path, reason };
}

/** Collects skipped entries, each folder once with the number of its entries. */
export class SkippedFiles {
  private readonly byPath = new Map<string, Junk & { entries: number }>();

  add(junk: Junk): void {
    const known = this.byPath.get(junk.path);
    if (known === undefined) this.byPath.set(junk.path, { ...junk, entries: 1 });
    else known.entries++;
  }

  list(): (Junk & { entries: number })[] {
    return [...this.byPath.values()];
  }
}

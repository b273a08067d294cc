/**
 * The names of documents as files below one folder. A document may have the name of the folder of another one; it gets a
 * `~` at its end, because no disk has a file and a folder of one name.
 */
export function fileNames(paths: readonly string[]): Map<string, string> {
  const folders = new Set(paths.flatMap(foldersOf));
  const taken = new Set(paths);
  return new Map(
    paths.map((path) => {
      let name = path;
      while (folders.has(name) || (name !== path && taken.has(name))) name += '~';
      taken.add(name);
      return [path, name];
    }),
  );
}

function foldersOf(path: string): string[] {
  const parts = path.split('/').slice(0, -1);
  return parts.map((_, index) => parts.slice(0, index + 1).join('/'));
}

/** A name for the folder of a project: readable, and safe on every system. */
export function folderName(name: string, projectId: string): string {
  const plain = name
    .normalize('NFC')
    .replace(/[^\p{L}\p{N}._-]+/gu, '-')
    .slice(0, 60);
  return `${plain.startsWith('.') ? '-' : ''}${plain}-${projectId}`;
}

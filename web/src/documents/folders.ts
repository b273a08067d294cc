import type { DocumentInfo } from '../api/shapes.ts';

export type FolderEntry =
  { kind: 'folder'; path: string; name: string; documents: number } | { kind: 'document'; document: DocumentInfo };

/** What a folder holds: its folders by name, then its documents. With a filter every match below it, flat. */
export function entriesIn(documents: readonly DocumentInfo[], folder: string, filter: string): FolderEntry[] {
  const below = documents.filter(({ path }) => path.startsWith(folder));
  if (filter !== '') {
    return below
      .filter(({ path, title }) => path.toLowerCase().includes(filter) || title.toLowerCase().includes(filter))
      .map((document) => ({ kind: 'document', document }));
  }
  const folders = new Map<string, number>();
  const here: DocumentInfo[] = [];
  for (const document of below) {
    const slash = document.path.indexOf('/', folder.length);
    if (slash < 0) here.push(document);
    else {
      const name = document.path.slice(folder.length, slash);
      folders.set(name, (folders.get(name) ?? 0) + 1);
    }
  }
  return [
    ...[...folders]
      .sort(([a], [b]) => a.localeCompare(b))
      .map(([name, count]): FolderEntry => ({ kind: 'folder', path: `${folder}${name}/`, name, documents: count })),
    ...here.map((document): FolderEntry => ({ kind: 'document', document })),
  ];
}

/** Each folder that has documents below it, with its slash. */
export function foldersOf(documents: readonly DocumentInfo[]): string[] {
  const folders = new Set<string>();
  for (const { path } of documents) {
    for (let slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', slash + 1)) {
      folders.add(path.slice(0, slash + 1));
    }
  }
  return [...folders].sort();
}

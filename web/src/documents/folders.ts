import type { DocumentInfo } from '../api/shapes.ts';

export type FolderEntry =
  { kind: 'folder'; path: string; name: string; documents: number } | { kind: 'document'; document: DocumentInfo };

/** Which documents of a folder are shown; each empty where all are. */
export interface DocumentFilter {
  /** A part of a path, a title or a tag, in lower case. */
  text: string;
  tag: string;
}

/** The content of a folder: its folders by name, then its documents. With a filter every match below it, flat. */
export function entriesIn(documents: readonly DocumentInfo[], folder: string, filter: DocumentFilter): FolderEntry[] {
  const below = documents.filter(({ path }) => path.startsWith(folder));
  if (filter.text !== '' || filter.tag !== '') {
    return below.filter((document) => matches(document, filter)).map((document) => ({ kind: 'document', document }));
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

function matches({ path, title, tags = [] }: DocumentInfo, { text, tag }: DocumentFilter): boolean {
  if (tag !== '' && !tags.includes(tag)) return false;
  return [path, title, ...tags.map((name) => `#${name}`)].some((name) => name.toLowerCase().includes(text));
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

/** The documents that paths name; a path that ends with a slash names all below it. */
export function documentsUnder(documents: readonly DocumentInfo[], paths: readonly string[]): DocumentInfo[] {
  const single = new Set(paths);
  const folders = paths.filter((path) => path.endsWith('/'));
  return documents.filter(({ path }) => single.has(path) || folders.some((folder) => path.startsWith(folder)));
}

import type { Scope } from '../contract/scope.contract.js';

export interface ScopedDocument {
  path: string;
  mediaType: string;
  /** In lower case. */
  tags: readonly string[];
  authors: readonly string[];
  timeMs: number;
}

/** Whether a document lies within a scope. */
export function within(scope: Scope): (document: ScopedDocument) => boolean {
  const paths = scope.paths?.map(pathTest);
  const tags = scope.tags?.map((tag) => tag.replace(/^#/, '').toLowerCase());
  const authors = scope.author?.map((author) => author.toLowerCase());
  const types = scope.types?.map((type) => type.replace(/^\./, '').toLowerCase());
  const before = scope.before === undefined ? Infinity : Date.parse(scope.before);
  const after = scope.after === undefined ? -Infinity : Date.parse(scope.after);
  return (document) =>
    (paths?.some((test) => test(document.path)) ?? true) &&
    (tags?.some((tag) => document.tags.includes(tag)) ?? true) &&
    (authors?.some((author) => document.authors.some((name) => name.toLowerCase().includes(author))) ?? true) &&
    (types?.some((type) => isOfType(document, type)) ?? true) &&
    document.timeMs < before &&
    document.timeMs >= after;
}

function isOfType({ path, mediaType }: ScopedDocument, type: string): boolean {
  return path.toLowerCase().endsWith(`.${type}`) || mediaType === type;
}

/**
 * Matches the document itself, documents in that folder, or a pattern with `*`. The case of letters does not matter.
 */
function pathTest(wanted: string): (path: string) => boolean {
  const name = wanted.toLowerCase().replace(/^\//, '');
  if (name.includes('*')) {
    const parts = name.split('*');
    return (path) => fits(path.toLowerCase(), parts);
  }
  const folder = name.endsWith('/') ? name : `${name}/`;
  return (path) => path.toLowerCase() === name || path.toLowerCase().startsWith(folder);
}

/** Whether a text consists of these parts with anything between them. Each part is searched for once, from the left. */
function fits(text: string, parts: readonly string[]): boolean {
  const first = parts[0] ?? '';
  const last = parts.at(-1) ?? '';
  if (!text.startsWith(first) || !text.endsWith(last) || text.length < first.length + last.length) return false;
  let at = first.length;
  for (const part of parts.slice(1, -1)) {
    const found = text.indexOf(part, at);
    if (found === -1) return false;
    at = found + part.length;
  }
  return at <= text.length - last.length;
}

const FILTER = /(?<![^\s(])(path|folder|tag|author|type|before|after):("[^"]*"|[^\s"]+)/gi;

/** Removes the filters from a query, such as `path:notes tag:tax before:2026-01-01`, and adds them to the scope. */
export function filtersOf(text: string, scope: Scope = {}): { text: string; scope: Scope | undefined } {
  const found: Scope = { ...scope };
  const rest = text.replace(FILTER, (whole: string, name: string, quoted: string) => {
    const value = quoted.replaceAll('"', '');
    const isDate = !Number.isNaN(Date.parse(value));
    switch (name.toLowerCase()) {
      case 'path':
      case 'folder':
        found.paths = [...(found.paths ?? []), value];
        return ' ';
      case 'tag':
        found.tags = [...(found.tags ?? []), value];
        return ' ';
      case 'author':
        found.author = [...(found.author ?? []), value];
        return ' ';
      case 'type':
        found.types = [...(found.types ?? []), value];
        return ' ';
      case 'before':
        if (isDate) found.before = value;
        return isDate ? ' ' : whole;
      default:
        if (isDate) found.after = value;
        return isDate ? ' ' : whole;
    }
  });
  return { text: rest.trim(), scope: Object.keys(found).length === 0 ? undefined : found };
}

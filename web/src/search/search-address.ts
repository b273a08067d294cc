import type { Scope } from '../api/shapes.ts';

/** The filters that are typed, in the order in which they stand. */
export const FIELDS = ['path', 'tag', 'author', 'type', 'after', 'before'] as const;
type Field = (typeof FIELDS)[number];

/** What the address of the search page says: a search can be kept, sent and gone back to. */
export interface SearchAddress extends Partial<Record<Field, string>> {
  q?: string;
  mode?: 'vector' | 'fulltext';
  folder?: string;
  explain?: true;
}

export function readAddress(given: Record<string, unknown>): SearchAddress {
  const { q, mode, folder, explain } = given;
  const fields = FIELDS.flatMap((field) => {
    const value = given[field];
    return (typeof value === 'string' || typeof value === 'number') && value !== '' ? [[field, String(value)]] : [];
  });
  return {
    ...(Object.fromEntries(fields) as Partial<Record<Field, string>>),
    ...(typeof q === 'string' || typeof q === 'number' ? { q: String(q) } : {}),
    ...(mode === 'vector' || mode === 'fulltext' ? { mode } : {}),
    ...(typeof folder === 'string' && folder !== '' ? { folder } : {}),
    ...(explain === true ? { explain } : {}),
  };
}

const list = (text: string) =>
  text
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');

/** The documents that an address names; undefined: all. The last day of a span is part of it. */
export function scopeOf({ folder, path, tag, author, type, after, before }: SearchAddress): Scope | undefined {
  const within = path === undefined ? (folder === undefined ? [] : [folder]) : list(path);
  // A path that is typed is meant within the folder that is chosen.
  const paths = path !== undefined && folder !== undefined ? within.map((entry) => joined(folder, entry)) : within;
  const scope: Scope = {
    ...(paths.length > 0 && { paths }),
    ...(tag !== undefined && { tags: list(tag) }),
    ...(author !== undefined && { author: list(author) }),
    ...(type !== undefined && { types: list(type) }),
    ...(after !== undefined && { after }),
    ...(before !== undefined && { before: dayAfter(before) }),
  };
  return Object.keys(scope).length === 0 ? undefined : scope;
}

const joined = (folder: string, path: string) => (path.startsWith(folder) ? path : `${folder}${path}`);

/** The backend leaves `before` itself out. */
function dayAfter(date: string): string {
  const day = new Date(`${date}T00:00:00Z`);
  if (Number.isNaN(day.getTime())) return date;
  day.setUTCDate(day.getUTCDate() + 1);
  return day.toISOString().slice(0, 10);
}

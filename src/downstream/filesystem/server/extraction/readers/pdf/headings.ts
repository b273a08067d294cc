import type { Page } from '../../extracted.ts';
import { pagesWithProperties, type Property } from '../properties.ts';

export interface Bookmark {
  title: string;
  /** 1 is the highest. */
  level: number;
  page: number;
}

export interface Outline {
  title: string;
  author: string;
  properties: Property[];
  bookmarks: Bookmark[];
}

/** The title is searched for in this many characters of the first page. */
const BEGINNING_CHARS = 1000;

/**
 * Marks the lines to which bookmarks lead as headings. A bookmark whose words are not a line of its page is added as a
 * line at the beginning of the page. Title, author and further properties are added to the first page, unless they
 * are there already.
 * `unread`: pages whose text is read later, of which some have none yet but their headings.
 */
export function withHeadings(
  texts: readonly Page[],
  { title, author, properties, bookmarks }: Outline,
  unread: readonly number[],
): Page[] {
  const known = new Set(texts.map(({ page }) => page));
  const empty = unread.filter((page) => !known.has(page)).map((page) => ({ page, text: '' }));
  const pages = [...texts, ...empty].sort((one, other) => one.page - other.page);
  const byPage = new Map<number, Bookmark[]>();
  for (const bookmark of bookmarks) byPage.set(bookmark.page, [...(byPage.get(bookmark.page) ?? []), bookmark]);
  const marked = pagesWithProperties(pages, properties).map(({ page, text }) => ({
    page,
    text: marking(text, byPage.get(page) ?? []),
  }));
  const [first, ...others] = marked;
  if (first === undefined) return marked;
  return [{ page: first.page, text: withTitle(first.text, title, author) }, ...others];
}

function marking(text: string, bookmarks: readonly Bookmark[]): string {
  if (bookmarks.length === 0) return text;
  const lines = text.split('\n');
  const byWords = new Map<string, number>();
  lines.forEach((line, at) => byWords.has(wordsOf(line)) || byWords.set(wordsOf(line), at));
  const added: string[] = [];
  for (const { title, level } of bookmarks) {
    const at = byWords.get(wordsOf(title));
    const mark = '#'.repeat(level + 1);
    if (at === undefined) added.push(`${mark} ${title}`);
    else if (!lines[at]?.startsWith('#')) lines[at] = `\n${mark} ${lines[at]?.trim()}\n`;
  }
  return [...added, lines.join('\n').trim()].join('\n\n');
}

/** The number of a chapter is often part of only the line or only the bookmark. */
const wordsOf = (line: string) =>
  line
    .toLowerCase()
    .replaceAll(/\s+/g, ' ')
    .replace(/^(?:\d+\.)*\d*\.?\s*/, '')
    .trim();

function withTitle(text: string, title: string, author: string): string {
  const beginning = text.slice(0, BEGINNING_CHARS);
  const [line = ''] = beginning.split('\n');
  if (title !== '' && line.trim() === title) return `# ${title}\n\n${text.slice(line.length).trim()}`;
  const isThere = (words: string) => words === '' || beginning.includes(words);
  const parts = [isThere(title) ? '' : `# ${title}`, isThere(author) ? '' : `Author: ${author}`, text];
  return parts.filter((part) => part !== '').join('\n\n');
}

import type { PageStart } from '../../../../contract/page.contract.ts';
import type { Page } from './extracted.ts';

/** Removes characters that texts cannot contain, and white space at both ends. */
export function cleanText(text: string): string {
  return text.replaceAll('\0', '').toWellFormed().trim();
}

/** Joins pages with empty lines between them; pages without text are left out. */
export function pagedText(pages: readonly Page[]): { text: string; pages: PageStart[] } {
  const starts: PageStart[] = [];
  const texts: string[] = [];
  let start = 0;
  for (const { page, text } of pages) {
    const clean = cleanText(text);
    if (clean === '') continue;
    starts.push({ page, start });
    texts.push(clean);
    start += clean.length + 2;
  }
  return { text: texts.join('\n\n'), pages: starts };
}

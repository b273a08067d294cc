import type { PageStart } from '../../../../contract/page.contract.ts';
import type { Page } from './extracted.ts';

/** Without characters that no text can have, and without white space around it. */
export function cleanText(text: string): string {
  return text.replaceAll('\0', '').toWellFormed().trim();
}

/** Joins pages by empty lines; those without text have no place in it. */
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

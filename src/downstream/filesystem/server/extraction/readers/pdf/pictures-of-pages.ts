import type { Warning } from '../../../../../../contract/warning.contract.ts';
import { onPages } from './on-pages.ts';

/** A picture that stands at one place of this many pages is a decoration, such as a logo. */
const MANY_PAGES = 3;

/** What the pages of a PDF show beside their texts. */
export class PicturesOfPages {
  private readonly pages: { page: number; marks: readonly string[]; described: number }[] = [];

  /** @param described how many of the pictures have a description, which is in the text */
  add(page: number, marks: readonly string[], described: number): void {
    if (marks.length > described) this.pages.push({ page, marks, described });
  }

  warnings(): Warning[] {
    const uses = new Map<string, number>();
    for (const { marks } of this.pages) {
      for (const mark of new Set(marks)) uses.set(mark, (uses.get(mark) ?? 0) + 1);
    }
    let count = 0;
    const pages: number[] = [];
    for (const { page, marks, described } of this.pages) {
      const lost = marks.filter((mark) => (uses.get(mark) ?? 0) < MANY_PAGES).length - described;
      if (lost <= 0) continue;
      count += lost;
      pages.push(page);
    }
    return onPages('pictures_without_text', 'pictures beside the text, which nothing describes', pages, count);
  }
}

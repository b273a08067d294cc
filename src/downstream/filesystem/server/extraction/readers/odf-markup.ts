import { HtmlReader } from './html.ts';
import type { XmlHandler } from './xml.ts';

/** Elements of OpenDocument (OASIS ODF 1.3, part 3) that mean what an element of HTML means. */
const SAME: Record<string, string> = {
  'text:p': 'p',
  'text:list': 'ul',
  'text:list-item': 'li',
  'table:table': 'table',
  'table:table-row': 'tr',
  'text:line-break': 'br',
};
/** Deleted text, marks of notes, and metadata of comments. */
const SKIPPED = new Set([
  'text:tracked-changes',
  'office:forms',
  'text:note-citation',
  'dc:creator',
  'dc:date',
  'meta:creator-initials',
]);
/** What stands beside a text goes into parentheses, so that the sentence around it stays whole. */
const BESIDE: Record<string, string> = { 'text:note-body': ' (', 'office:annotation': ' (comment: ' };
const DESCRIBED = new Set(['svg:desc', 'svg:title', 'table:table', 'draw:object']);
const MAX_LEVEL = 6;
const MAX_SPACES = 1000;

/** Reads the body of an OpenDocument file through the reader of HTML. */
export class OdfMarkup implements XmlHandler {
  reader = new HtmlReader();
  private skipping = 0;
  private beside = 0;
  /** Whether the next paragraph is the first one of what stands beside the text. */
  private isFirst = false;
  /** Of each open element that is read, its name in HTML. */
  private readonly open: (string | undefined)[] = [];
  /** Of each open table, its number of rows so far. */
  private readonly rows: number[] = [];
  private picture: { isDescribed: boolean } | undefined;

  start(name: string, attributes: Record<string, string>): void {
    if (SKIPPED.has(name)) this.skipping++;
    if (this.skipping > 0) return;
    const element = this.elementOf(name, attributes);
    this.open.push(element);
    if (element !== undefined) this.reader.onopentag(element, {});
    if (name === 'draw:frame') this.picture = undefined;
    if (BESIDE[name] !== undefined) {
      this.beside++;
      this.isFirst = true;
      this.reader.ontext(BESIDE[name]);
    } else if (name === 'text:s')
      this.reader.ontext(' '.repeat(Math.min(MAX_SPACES, Number(attributes['text:c']) || 1)));
    else if (name === 'text:tab') this.reader.ontext(' ');
    else if (name === 'text:p' && this.beside > 0) {
      if (!this.isFirst) this.reader.ontext(' ');
      this.isFirst = false;
    } else if (name === 'draw:image') this.picture ??= { isDescribed: false };
    // Beside a table or an object stands a picture of it.
    else if (DESCRIBED.has(name)) this.picture = { isDescribed: true };
  }

  text(text: string): void {
    if (this.skipping === 0) this.reader.ontext(text);
  }

  end(name: string): void {
    if (this.skipping === 0) this.close(name);
    else if (SKIPPED.has(name)) this.skipping--;
  }

  private close(name: string): void {
    const element = this.open.pop();
    if (element !== undefined) this.reader.onclosetag(element);
    if (BESIDE[name] !== undefined) {
      this.beside--;
      this.reader.ontext(')');
    } else if (name === 'table:table') this.rows.pop();
    else if (name === 'draw:frame') {
      if (this.picture?.isDescribed === false) this.reader.onopentag('img', {});
      this.picture = undefined;
    }
  }

  private elementOf(name: string, attributes: Record<string, string>): string | undefined {
    if (name === 'text:h') return `h${Math.min(MAX_LEVEL, Number(attributes['text:outline-level']) || 1)}`;
    if (name === 'text:p' && this.beside > 0) return undefined;
    if (name === 'text:p' && attributes['text:style-name'] === 'Title') return 'h1';
    if (name === 'table:table') this.rows.push(0);
    if (name === 'table:table-row') this.rows.push((this.rows.pop() ?? 0) + 1);
    // The first row of a table names its columns: Markdown has no table without such a row.
    if (name === 'table:table-cell') return this.rows.at(-1) === 1 ? 'th' : 'td';
    return SAME[name];
  }
}

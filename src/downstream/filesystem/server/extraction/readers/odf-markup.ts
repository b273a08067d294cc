import { HtmlReader } from './html.ts';
import type { XmlHandler } from './xml.ts';

/** Elements of OpenDocument (OASIS ODF 1.3, part 3) that are equivalent to elements of HTML. */
const SAME: Record<string, string> = {
  'text:p': 'p',
  'text:list': 'ul',
  'text:list-item': 'li',
  'table:table': 'table',
  'table:table-row': 'tr',
  'text:line-break': 'br',
};
/** Deleted text, reference marks of notes, and metadata of comments. */
const SKIPPED = new Set([
  'text:tracked-changes',
  'text:note-citation',
  'dc:creator',
  'dc:date',
  'meta:creator-initials',
]);
/** Notes and comments are put in parentheses, so that the sentence around them stays complete. */
const BESIDE: Record<string, string> = { 'text:note-body': ' (', 'office:annotation': ' (comment: ' };
const DESCRIBED = new Set(['svg:desc', 'svg:title', 'table:table', 'draw:object']);
/** Controls of a form without a value of their own. */
const FORM_PARTS = /^form:(?:form|properties|property|item|option|list-)/;
const MAX_LEVEL = 6;
const MAX_SPACES = 1000;

/** Converts the body of an OpenDocument file with the HTML reader. */
export class OdfMarkup implements XmlHandler {
  reader = new HtmlReader();
  private skipping = 0;
  private noteDepth = 0;
  /** Whether the next paragraph is the first one of a note or comment. */
  private isFirst = false;
  /** For each open element, its equivalent in HTML. */
  private readonly open: (string | undefined)[] = [];
  /** For each open table, the number of its rows so far. */
  private readonly rows: number[] = [];
  private picture: { isDescribed: boolean } | undefined;

  start(name: string, attributes: Record<string, string>): void {
    if (SKIPPED.has(name)) this.skipping++;
    if (this.skipping > 0) return;
    if (name.startsWith('form:') && !FORM_PARTS.test(name)) this.field(attributes);
    const element = this.elementOf(name, attributes);
    this.open.push(element);
    if (element !== undefined) this.reader.onopentag(element, {});
    if (name === 'draw:frame') this.picture = undefined;
    if (BESIDE[name] !== undefined) {
      this.noteDepth++;
      this.isFirst = true;
      this.reader.ontext(BESIDE[name]);
    } else if (name === 'text:s')
      this.reader.ontext(' '.repeat(Math.min(MAX_SPACES, Number(attributes['text:c']) || 1)));
    else if (name === 'text:tab') this.reader.ontext(' ');
    else if (name === 'text:p' && this.noteDepth > 0) {
      if (!this.isFirst) this.reader.ontext(' ');
      this.isFirst = false;
    } else if (name === 'draw:image') this.picture ??= { isDescribed: false };
    // A table or an object is accompanied by a picture of it.
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
      this.noteDepth--;
      this.reader.ontext(')');
    } else if (name === 'table:table') this.rows.pop();
    else if (name === 'draw:frame') {
      if (this.picture?.isDescribed === false) this.reader.onopentag('img', {});
      this.picture = undefined;
    }
  }

  /** The label of a control of a form and what was put in. */
  private field(attributes: Record<string, string>): void {
    const { 'form:label': label = '', 'form:name': name = '', 'form:current-state': state = '' } = attributes;
    const value = attributes['form:current-value'] ?? attributes['form:value'] ?? '';
    const isChecked = state === 'checked' || attributes['form:current-selected'] === 'true';
    const said = [label || (value === '' ? '' : name), isChecked ? `${value} [x]`.trim() : value];
    const text = said.filter((part) => part !== '').join(': ');
    if (text === '') return;
    this.reader.onopentag('p', {});
    this.reader.ontext(text);
    this.reader.onclosetag('p');
  }

  private elementOf(name: string, attributes: Record<string, string>): string | undefined {
    if (name === 'text:h') return `h${Math.min(MAX_LEVEL, Number(attributes['text:outline-level']) || 1)}`;
    if (name === 'text:p' && this.noteDepth > 0) return undefined;
    if (name === 'text:p' && attributes['text:style-name'] === 'Title') return 'h1';
    if (name === 'table:table') this.rows.push(0);
    if (name === 'table:table-row') this.rows.push((this.rows.pop() ?? 0) + 1);
    // The first row of a table is its header: Markdown has no table without a header row.
    if (name === 'table:table-cell') return this.rows.at(-1) === 1 ? 'th' : 'td';
    return SAME[name];
  }
}

import { Parser } from 'htmlparser2';
import type { Warning } from '../../../../../contract/warning.contract.ts';
import { type DecodedText, decodeAsFallback, decodeText } from '../charset.ts';
import { counted } from '../extracted.ts';
import { type Property, withProperties } from './properties.ts';
import { TextWriter } from './text-writer.ts';

/** A charset declaration is in the first 1024 bytes (HTML standard, 13.2.3.2). */
const PRESCAN_BYTES = 1024;

export function fromHtml(content: Uint8Array, charset: string | undefined): DecodedText {
  const decoded = decodeText(content, [charset, declaredCharset(content)]) ?? decodeAsFallback(content);
  const { text, warnings } = htmlToText(decoded.text);
  return { text, warnings: [...decoded.warnings, ...warnings] };
}

/**
 * The charset from the `meta` element or the XML declaration. If the declaration is readable as ASCII, the document is
 * not UTF-16, whatever it states.
 */
function declaredCharset(content: Uint8Array): string | undefined {
  const head = Buffer.from(content.subarray(0, PRESCAN_BYTES))
    .toString('latin1')
    .replaceAll(/<!--.*?(?:-->|$)/gs, '');
  const meta = /<meta\s[^>]*?charset\s*=\s*(?:["']\s*)?([^\s"'/>;]+)/i.exec(head)?.[1];
  const label = meta ?? /^\s*<\?xml\s[^>]*?encoding\s*=\s*["']([^"']+)/.exec(head)?.[1];
  if (label === undefined) return undefined;
  return /^(?:utf-?16|ucs-2|unicode$)/i.test(label) ? 'utf-8' : label === 'x-user-defined' ? 'windows-1252' : label;
}

const SKIPPED = new Set(['script', 'style', 'template']);
/** Elements that start and end a line, or a paragraph (with an empty line). */
const LINES =
  'address article aside body caption center dd details dialog div dl dt fieldset figcaption figure footer form header hgroup legend li main menu nav optgroup option search section summary tbody tfoot thead tr';
const PARAGRAPHS = 'blockquote h1 h2 h3 h4 h5 h6 hr ol p pre table ul';
const BREAKS = new Map([
  ...LINES.split(' ').map((name) => [name, 1] as const),
  ...PARAGRAPHS.split(' ').map((name) => [name, 2] as const),
]);
const HEADING = /^h([1-6])$/;
const CELL = /^t[dh]$/;
/** Tables nested deeper are layout, not data: their cells are written as lines. */
const MAX_NESTED_TABLES = 20;
const MAX_LIST_DEPTH = 8;
/** `meta` elements for readers, by `name` or `property`. */
const META = new Map([
  ['description', 'Description'],
  ['og:description', 'Description'],
  ['dc.description', 'Description'],
  ['keywords', 'Keywords'],
  ['news_keywords', 'Keywords'],
  ['author', 'Author'],
  ['dc.creator', 'Author'],
  ['article:author', 'Author'],
]);
/** Elements that show other files. */
const EMBEDDED = new Set(['iframe', 'frame', 'object', 'embed', 'applet']);
const MEDIA = new Set(['audio', 'video']);
/** Elements whose `title` says what their text stands for. */
const SHORT_FORMS = new Set(['abbr', 'acronym', 'dfn']);
/** Types of `input` elements whose value is not for people, or has no text. */
const UNREAD_INPUTS = new Set(['hidden', 'password', 'file', 'color', 'range', 'submit', 'reset', 'button', 'image']);
/** The comments of Internet Explorer hide markup. */
const IS_NOTE = /^(?!\s*(?:\[if|<!\[|\[CDATA\[)).*\p{L}/su;
/** Lines that Markdown reads as headings, fences or tables. */
const MARKS = /^[ \t]{0,3}(?:#{1,6}[ \t]|={2,}[ \t]*$|-{2,}[ \t]*$|```|~~~|\|)/m;

/**
 * Converts HTML to text with Markdown marks for headings, lists and tables, along which passages are cut. It processes
 * the parser's events without building a tree, so that any depth of elements is accepted.
 */
export function htmlToText(html: string): DecodedText {
  const reader = new HtmlReader();
  const parser = new Parser(reader, { decodeEntities: true, recognizeSelfClosing: /^\s*<\?xml/.test(html) });
  parser.end(html);
  return reader.result();
}

/** The target of the text: the document, or one cell of a row. */
interface Frame {
  writer: TextWriter;
  row: { cells: string[]; isHead: boolean } | undefined;
}

/** Handles HTML elements one by one. Readers of other markup call it with equivalent elements. */
export class HtmlReader {
  private frame: Frame = { writer: new TextWriter(), row: undefined };
  private readonly outer: Frame[] = [];
  /** For each open cell, whether it has a frame of its own. */
  private readonly cells: boolean[] = [];
  /** For each open table, the number of its rows so far. */
  private readonly rows: number[] = [];
  private readonly lists: { ordered: boolean; items: number }[] = [];
  private skipping = 0;
  private inTitle = false;
  private title = '';
  private readonly properties: Property[] = [];
  private readonly lost = { pictures: 0, comments: 0, scripts: 0, embedded: 0, media: 0 };
  /** The long form of each open short form. */
  private readonly longForms: string[] = [];

  onopentag(name: string, attributes: Record<string, string>): void {
    if (SKIPPED.has(name)) this.skipping++;
    if (name === 'script') this.lost.scripts++;
    if (this.skipping > 0) return;
    const { writer } = this.frame;
    writer.break(BREAKS.get(name) ?? 0);
    const level = HEADING.exec(name)?.[1];
    if (level !== undefined) writer.begin(`${'#'.repeat(Number(level))} `);
    else if (CELL.test(name)) this.openCell(name);
    else if (name === 'br') writer.newline();
    else if (name === 'pre') this.openPreformatted();
    else if (name === 'textarea') writer.preformatted++;
    else if (name === 'img' || name === 'area') this.picture(attributes['alt'] ?? attributes['title']);
    else if (name === 'table') this.rows.push(0);
    else if (name === 'tr') this.frame.row = this.rows.length === 0 ? undefined : { cells: [], isHead: true };
    else if (name === 'ul' || name === 'ol') this.lists.push({ ordered: name === 'ol', items: 0 });
    else if (name === 'li') this.item();
    else if (name === 'meta') this.meta(attributes);
    else if (name === 'input') this.input(attributes);
    else if (EMBEDDED.has(name)) this.lost.embedded++;
    else if (MEDIA.has(name)) this.lost.media++;
    else if (SHORT_FORMS.has(name)) this.longForms.push(attributes['title'] ?? '');
    // The `title` of a picture in SVG is part of the page's text.
    else if (name === 'title' && this.title === '') this.inTitle = true;
  }

  ontext(text: string): void {
    if (this.inTitle) this.title += text;
    else if (this.skipping === 0) this.frame.writer.text(text);
  }

  oncomment(comment: string): void {
    if (this.skipping === 0 && IS_NOTE.test(comment)) this.lost.comments++;
  }

  onclosetag(name: string): void {
    if (SKIPPED.has(name)) this.skipping = Math.max(0, this.skipping - 1);
    if (this.skipping > 0) return;
    if (name === 'li' || HEADING.test(name)) this.frame.writer.begin('');
    if (CELL.test(name)) this.closeCell();
    else if (name === 'title') this.inTitle = false;
    else if (name === 'pre') this.closePreformatted();
    else if (name === 'textarea') this.frame.writer.preformatted--;
    else if (name === 'table') this.rows.pop();
    else if (name === 'tr') this.closeRow();
    else if (name === 'ul' || name === 'ol') this.lists.pop();
    else if (SHORT_FORMS.has(name)) this.longForm(this.longForms.pop());
    this.frame.writer.break(BREAKS.get(name) ?? 0);
  }

  result(): DecodedText {
    const body = this.frame.writer.result();
    const title = this.title.replaceAll(/\s+/g, ' ').trim();
    const isHeading = /^#+ /.test(body) && body.slice(0, 1000).replace(/^#+ /, '').startsWith(title);
    const text = title === '' || isHeading ? body : `# ${title}\n\n${body}`.trim();
    const { pictures, comments, scripts, embedded, media } = this.lost;
    return {
      text: withProperties(text, this.properties),
      warnings: [
        ...picturesWithoutText(pictures),
        ...counted(media, 'media_left_out', 'recordings are left out'),
        ...counted(embedded, 'embedded_files_left_out', 'embedded pages and files are left out'),
        ...counted(scripts, 'scripts_left_out', 'scripts are left out, and the text that they would write'),
        ...counted(comments, 'comments_left_out', 'comments in the source are left out'),
      ],
    };
  }

  private meta({ name, property, content = '' }: Record<string, string>): void {
    const meant = META.get((name ?? property ?? '').toLowerCase());
    if (meant !== undefined) this.properties.push([meant, content]);
  }

  /** A form that was filled in before the page was saved has its values in the attributes. */
  private input({ type = 'text', value = '', alt, checked }: Record<string, string>): void {
    const kind = type.toLowerCase();
    const { writer } = this.frame;
    if (kind === 'checkbox' || kind === 'radio') writer.text(checked === undefined ? ' [ ] ' : ' [x] ');
    else if (kind === 'image') writer.text(` ${alt ?? ''} `);
    else if (!UNREAD_INPUTS.has(kind)) writer.text(` ${value} `);
  }

  private longForm(text = ''): void {
    if (text.trim() !== '') this.frame.writer.text(` (${text.trim()})`);
  }

  private openPreformatted(): void {
    this.outer.push(this.frame);
    this.frame = { writer: new TextWriter(), row: undefined };
    this.frame.writer.preformatted++;
  }

  /** Between fences where a line of the text would be read as Markdown. */
  private closePreformatted(): void {
    const text = this.frame.writer.result();
    this.frame = this.outer.pop() ?? this.frame;
    const fence = '`'.repeat(Math.max(3, ...[...text.matchAll(/`+/g)].map(([run]) => run.length + 1)));
    const { writer } = this.frame;
    writer.preformatted++;
    writer.block(MARKS.test(text) ? `${fence}\n${text}\n${fence}` : text);
    writer.preformatted--;
  }

  private openCell(name: string): void {
    const { row } = this.frame;
    const framed = row !== undefined && this.outer.length < MAX_NESTED_TABLES;
    this.cells.push(framed);
    if (!framed) return this.frame.writer.break(1);
    row.isHead &&= name === 'th';
    this.outer.push(this.frame);
    this.frame = { writer: new TextWriter(), row: undefined };
  }

  private closeCell(): void {
    if (this.cells.pop() !== true) return this.frame.writer.break(1);
    const text = this.frame.writer.result();
    this.frame = this.outer.pop() as Frame;
    this.frame.row?.cells.push(text);
  }

  /**
   * A table row becomes one line. Where cells contain blocks, the table is used for layout and the cells are written
   * one below the other.
   */
  private closeRow(): void {
    const { row, writer } = this.frame;
    this.frame.row = undefined;
    const number = this.rows.pop();
    if (number !== undefined) this.rows.push(number + 1);
    if (row === undefined || row.cells.every((cell) => cell === '')) return;
    const { cells, isHead } = row;
    if (cells.length === 1 || cells.some((cell) => cell.includes('\n'))) {
      for (const cell of cells) writer.block(cell);
      return;
    }
    writer.line(`| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`);
    if (number === 0 && isHead) writer.line(`|${' --- |'.repeat(cells.length)}`);
  }

  private item(): void {
    const list = this.lists.at(-1);
    const indent = '  '.repeat(Math.min(Math.max(this.lists.length - 1, 0), MAX_LIST_DEPTH));
    this.frame.writer.begin(`${indent}${list?.ordered === true ? `${++list.items}.` : '-'} `);
  }

  private picture(alternative: string | undefined): void {
    if (alternative === undefined || alternative.trim() === '') this.lost.pictures++;
    else this.frame.writer.text(alternative);
  }
}

export function picturesWithoutText(count: number): Warning[] {
  return counted(count, 'pictures_without_text', 'pictures without a text that describes them');
}

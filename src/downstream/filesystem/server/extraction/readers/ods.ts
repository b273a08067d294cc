import { counted, type Extracted } from '../extracted.ts';
import { Fault } from './fault.ts';
import { picturesWithoutText } from './html.ts';
import {
  marginsOf,
  objectTexts,
  openDocument,
  openDocumentLosses,
  openDocumentProperties,
  stylesWith,
} from './opendocument.ts';
import { withProperties } from './properties.ts';
import { columnName, type Sheet, sheetsText } from './sheet-text.ts';
import { readXml, type XmlHandler } from './xml.ts';

/** A row or a cell that is repeated more often is formatting and not content. */
const MAX_REPEATED = 1000;

/** The sheets, with the displayed values of their cells; then drawings, charts, headers, footers and properties. */
export function fromOds(content: Uint8Array, maxTextBytes: number): Extracted {
  const document = openDocument(content, 'an ODS', maxTextBytes);
  const markup = new SheetMarkup(stylesWith(document.content, 'table:display', 'false'), maxTextBytes);
  readXml(document.content, markup);
  const { text, warnings } = sheetsText(markup.sheets);
  const cut = counted(markup.cut, 'repeated_cells_cut', 'repetitions of equal rows or cells are left out');
  const all = [text, ...markup.drawn, ...objectTexts(document), ...marginsOf(document)];
  return {
    text: withProperties(all.join('\n\n'), openDocumentProperties(document)),
    warnings: [...warnings, ...cut, ...picturesWithoutText(markup.pictures), ...openDocumentLosses(document)],
  };
}

const DESCRIPTION = new Set(['svg:title', 'svg:desc']);

class SheetMarkup implements XmlHandler {
  readonly sheets: Sheet[] = [];
  /** The number of rows and cells that were not repeated as often as the file states. */
  cut = 0;
  /** The texts of shapes, and the descriptions of pictures. */
  readonly drawn: string[] = [];
  /** The number of pictures without a description. */
  pictures = 0;
  private isDescribed = false;
  private shapes = 0;
  private drawnText: string | undefined;
  private row: string[] = [];
  private rowChars = 0;
  private chars = 0;
  private rowRepeats = 1;
  private cell = '';
  private cellRepeats = 1;
  private comment: string | undefined;
  private column = 0;
  private rowNumber = 1;
  private inParagraph = 0;

  private readonly hiddenStyles: ReadonlySet<string>;

  private readonly maxChars: number;

  constructor(hiddenStyles: ReadonlySet<string>, maxChars: number) {
    this.hiddenStyles = hiddenStyles;
    this.maxChars = maxChars;
  }

  start(name: string, attributes: Record<string, string>): void {
    if (name === 'table:table') {
      const isHidden = this.hiddenStyles.has(attributes['table:style-name'] ?? '');
      this.sheets.push({ name: attributes['table:name'] ?? '', isHidden, rows: [], comments: [] });
      this.rowNumber = 1;
    } else if (name === 'table:table-row') {
      this.row = [];
      this.rowChars = 0;
      this.column = 0;
      this.rowRepeats = repeats(attributes['table:number-rows-repeated']);
    } else if (name === 'table:table-cell' || name === 'table:covered-table-cell') {
      this.cell = '';
      this.cellRepeats = repeats(attributes['table:number-columns-repeated']);
    } else if (name === 'office:annotation') this.comment = '';
    else if (name === 'table:shapes') this.shapes++;
    else if (name === 'draw:frame') this.isDescribed = false;
    else if (name === 'draw:image' && !this.isDescribed) this.pictures++;
    else if (DESCRIPTION.has(name)) {
      this.isDescribed = true;
      this.drawnText = '';
    } else if (name === 'draw:object') this.isDescribed = true;
    else if (name === 'text:p') {
      this.inParagraph++;
      if (this.shapes > 0) this.drawnText ??= '';
      this.write(' ');
    } else if (name === 'text:s' || name === 'text:tab' || name === 'text:line-break') this.write(' ');
  }

  text(text: string): void {
    if (this.inParagraph > 0 || this.drawnText !== undefined) this.write(text);
  }

  end(name: string): void {
    if (name === 'text:p') this.inParagraph--;
    if (DESCRIPTION.has(name) || (name === 'text:p' && this.shapes > 0)) this.endDrawn();
    else if (name === 'table:shapes') this.shapes--;
    else if (name === 'office:annotation') this.endComment();
    else if (name === 'table:table-cell' || name === 'table:covered-table-cell') this.endCell();
    else if (name === 'table:table-row') this.endRow();
  }

  private write(text: string): void {
    if (this.drawnText !== undefined) this.drawnText += text;
    else if (this.comment === undefined) this.cell += text;
    else this.comment += text;
  }

  private endDrawn(): void {
    const text = this.drawnText?.trim() ?? '';
    if (text !== '') this.drawn.push(text);
    this.drawnText = undefined;
  }

  private endComment(): void {
    const sheet = this.sheets.at(-1);
    const place = `${columnName(this.column)}${this.rowNumber}`;
    sheet?.comments.push(`Comment on ${place}: ${this.comment?.trim()}`);
    this.comment = undefined;
  }

  private endCell(): void {
    const shown = this.cell.trim();
    if (shown !== '') {
      this.rowChars += shown.length * Math.min(this.cellRepeats, MAX_REPEATED);
      for (let at = 0; at < Math.min(this.cellRepeats, MAX_REPEATED); at++) this.row[this.column + at] = shown;
      if (this.cellRepeats > MAX_REPEATED) this.cut += this.cellRepeats - MAX_REPEATED;
    }
    this.column += this.cellRepeats;
  }

  private endRow(): void {
    this.rowNumber += this.rowRepeats;
    const rows = this.sheets.at(-1)?.rows;
    if (rows === undefined || this.row.length === 0) return;
    this.chars += this.rowChars * Math.min(this.rowRepeats, MAX_REPEATED);
    // A few bytes may describe any number of cells.
    if (this.chars > this.maxChars) throw new Fault(`its cells hold more than ${this.maxChars} characters`);
    for (let at = 0; at < Math.min(this.rowRepeats, MAX_REPEATED); at++) rows.push(this.row);
    if (this.rowRepeats > MAX_REPEATED) this.cut += this.rowRepeats - MAX_REPEATED;
  }
}

const repeats = (count: string | undefined) => Math.max(1, Number(count) || 1);

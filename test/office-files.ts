import { strToU8, zipSync } from 'fflate';

type Parts = Record<string, string | Uint8Array>;

/** A zip archive of these parts, in this order; `mimetype` first and stored, as OpenDocument and EPUB require. */
export function zipOf(parts: Parts): Buffer {
  const entries = Object.entries(parts).map(([name, part]) => [name, typeof part === 'string' ? strToU8(part) : part]);
  const files = Object.fromEntries(entries) as Record<string, Uint8Array>;
  const { mimetype, ...others } = files;
  return Buffer.from(zipSync(mimetype === undefined ? others : { mimetype: [mimetype, { level: 0 }], ...others }));
}

const RELATIONS = 'http://schemas.openxmlformats.org/package/2006/relationships';
const OFFICE = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships';
const XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>';

export function relations(targets: Record<string, [type: string, target: string]>): string {
  const items = Object.entries(targets).map(
    ([id, [type, target]]) => `<Relationship Id="${id}" Type="${OFFICE}/${type}" Target="${target}"/>`,
  );
  return `${XML}<Relationships xmlns="${RELATIONS}">${items.join('')}</Relationships>`;
}

/** A cell of a sheet: a text, a number, or the XML of a `c` element without its place. */
export type Cell = string | number | { xml: string } | null;
export interface SheetSpec {
  name: string;
  state?: 'hidden' | 'veryHidden';
  rows: Cell[][];
}

/** Number formats by the index that the `s` attribute of a cell names, from 1 on. */
const FORMATS = ['dd.mm.yyyy', '#,##0.00 "€"', '0%', 'yyyy\\-mm\\-dd'];
export const styled = (format: (typeof FORMATS)[number], value: number) => ({
  xml: `s="${FORMATS.indexOf(format) + 1}"><v>${value}</v>`,
});

/** An XLSX workbook. */
export function xlsx(sheets: readonly SheetSpec[], more: Parts = {}): Buffer {
  const main = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"';
  const names = sheets.map(
    ({ name, state }, i) =>
      `<sheet name="${name}" sheetId="${i + 1}" ${state === undefined ? '' : `state="${state}"`} r:id="r${i + 1}"/>`,
  );
  const formats = FORMATS.map(
    (code, i) => `<numFmt numFmtId="${164 + i}" formatCode="${code.replaceAll('"', '&quot;')}"/>`,
  );
  const styles = FORMATS.map(
    (_, i) => `<xf numFmtId="${164 + i}" fontId="0" fillId="0" borderId="0" applyNumberFormat="1"/>`,
  );
  const types = 'application/vnd.openxmlformats-officedocument.spreadsheetml';
  return zipOf({
    '[Content_Types].xml': `${XML}<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="${types}.sheet.main+xml"/><Override PartName="/xl/styles.xml" ContentType="${types}.styles+xml"/>${sheets.map((_, i) => `<Override PartName="/xl/worksheets/sheet${i + 1}.xml" ContentType="${types}.worksheet+xml"/>`).join('')}</Types>`,
    '_rels/.rels': relations({ r1: ['officeDocument', 'xl/workbook.xml'] }),
    'xl/workbook.xml': `${XML}<workbook ${main} xmlns:r="${OFFICE}"><sheets>${names.join('')}</sheets></workbook>`,
    'xl/_rels/workbook.xml.rels': relations({
      ...Object.fromEntries(sheets.map((_, i) => [`r${i + 1}`, ['worksheet', `worksheets/sheet${i + 1}.xml`]])),
      styles: ['styles', 'styles.xml'],
    }),
    'xl/styles.xml': `${XML}<styleSheet ${main}><numFmts count="${formats.length}">${formats.join('')}</numFmts><fonts count="1"><font/></fonts><fills count="1"><fill/></fills><borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="${styles.length + 1}"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/>${styles.join('')}</cellXfs></styleSheet>`,
    ...Object.fromEntries(
      sheets.map(({ rows }, i) => [
        `xl/worksheets/sheet${i + 1}.xml`,
        `${XML}<worksheet ${main}><sheetData>${rows.map(rowXml).join('')}</sheetData></worksheet>`,
      ]),
    ),
    ...more,
  });
}

function rowXml(cells: readonly Cell[], row: number): string {
  const written = cells.map((cell, column) => {
    if (cell === null) return '';
    const place = `<c r="${columnOf(column)}${row + 1}"`;
    if (typeof cell === 'number') return `${place}><v>${cell}</v></c>`;
    if (typeof cell === 'string') return `${place} t="inlineStr"><is><t>${cell}</t></is></c>`;
    return `${place} ${cell.xml}</c>`;
  });
  return `<row r="${row + 1}">${written.join('')}</row>`;
}

function columnOf(column: number): string {
  const rest = Math.floor(column / 26);
  return (rest === 0 ? '' : columnOf(rest - 1)) + String.fromCharCode(65 + (column % 26));
}

export interface SlideSpec {
  /** The XML of shapes. */
  shapes: string;
  notes?: string;
  isHidden?: boolean;
  relations?: Record<string, [type: string, target: string]>;
}

export const shape = (text: string, place?: string) =>
  `<p:sp><p:nvSpPr><p:nvPr>${place === undefined ? '' : `<p:ph type="${place}"/>`}</p:nvPr></p:nvSpPr><p:txBody>${text
    .split('\n')
    .map((line) => `<a:p><a:r><a:t>${line}</a:t></a:r></a:p>`)
    .join('')}</p:txBody></p:sp>`;

/** A PPTX presentation; the files of its slides are numbered backwards, so that their order is told by the presentation alone. */
export function pptx(slides: readonly SlideSpec[], more: Parts = {}): Buffer {
  const spaces = `xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main" xmlns:r="${OFFICE}"`;
  const tree = (shapes: string) => `<p:cSld><p:spTree>${shapes}</p:spTree></p:cSld>`;
  const number = (i: number) => slides.length - i;
  const parts: Parts = {
    '_rels/.rels': relations({ r1: ['officeDocument', 'ppt/presentation.xml'] }),
    'ppt/presentation.xml': `${XML}<p:presentation ${spaces}><p:sldIdLst>${slides.map((_, i) => `<p:sldId id="${256 + i}" r:id="s${i}"/>`).join('')}</p:sldIdLst></p:presentation>`,
    'ppt/_rels/presentation.xml.rels': relations(
      Object.fromEntries(slides.map((_, i) => [`s${i}`, ['slide', `slides/slide${number(i)}.xml`]])),
    ),
  };
  slides.forEach(({ shapes, notes, isHidden, relations: others = {} }, i) => {
    parts[`ppt/slides/slide${number(i)}.xml`] =
      `${XML}<p:sld ${spaces} ${isHidden ? 'show="0"' : ''}>${tree(shapes)}</p:sld>`;
    const notesPart: Record<string, [string, string]> =
      notes === undefined ? {} : { n: ['notesSlide', `../notesSlides/notesSlide${number(i)}.xml`] };
    parts[`ppt/slides/_rels/slide${number(i)}.xml.rels`] = relations({ ...notesPart, ...others });
    if (notes !== undefined) {
      const shapesOfNotes = shape(notes, 'body') + shape(String(i), 'sldNum');
      parts[`ppt/notesSlides/notesSlide${number(i)}.xml`] = `${XML}<p:notes ${spaces}>${tree(shapesOfNotes)}</p:notes>`;
    }
  });
  return zipOf({ ...parts, ...more });
}

const ODF_SPACES = ['office', 'text', 'table', 'style', 'draw', 'presentation']
  .map((name) => `xmlns:${name}="urn:oasis:names:tc:opendocument:xmlns:${name}:1.0"`)
  .concat(
    'xmlns:dc="http://purl.org/dc/elements/1.1/"',
    'xmlns:svg="urn:oasis:names:tc:opendocument:xmlns:svg-compatible:1.0"',
  )
  .join(' ');

/** An OpenDocument file with the XML of its body. */
export function opendocument(
  kind: 'text' | 'spreadsheet' | 'presentation',
  body: string,
  styles = '',
  more: Parts = {},
): Buffer {
  return zipOf({
    mimetype: `application/vnd.oasis.opendocument.${kind}`,
    'content.xml': `${XML}<office:document-content ${ODF_SPACES}><office:automatic-styles>${styles}</office:automatic-styles><office:body><office:${kind}>${body}</office:${kind}></office:body></office:document-content>`,
    'META-INF/manifest.xml': '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>',
    ...more,
  });
}

/** An EPUB with its chapters in files that are not in reading order. */
export function epub(title: string, chapters: readonly string[], more: Parts = {}): Buffer {
  const items = chapters.map(
    (_, i) => `<item id="c${i}" href="text/${chapters.length - i}%20x.xhtml" media-type="application/xhtml+xml"/>`,
  );
  return zipOf({
    mimetype: 'application/epub+zip',
    'META-INF/container.xml':
      '<container><rootfiles><rootfile full-path="OEBPS/book.opf" media-type="application/oebps-package+xml"/></rootfiles></container>',
    'OEBPS/book.opf': `${XML}<package xmlns:dc="http://purl.org/dc/elements/1.1/"><metadata><dc:title>${title}</dc:title><dc:creator>Ada</dc:creator></metadata><manifest>${items.reverse().join('')}</manifest><spine>${chapters.map((_, i) => `<itemref idref="c${i}"/>`).join('')}</spine></package>`,
    ...Object.fromEntries(
      chapters.map((chapter, i) => [
        `OEBPS/text/${chapters.length - i} x.xhtml`,
        `<?xml version="1.0"?><html><head><title>ch.xhtml</title></head><body>${chapter}</body></html>`,
      ]),
    ),
    ...more,
  });
}

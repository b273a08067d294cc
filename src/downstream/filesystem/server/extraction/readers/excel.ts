import * as xlsx from '@e965/xlsx';
import type { CellObject, WorkSheet } from '@e965/xlsx';
import * as codePages from '@e965/xlsx/dist/cpexcel.full';
import type { Warning } from '../../../../../contract/warning.contract.ts';
import type { DecodedText } from '../charset.ts';
import { Fault } from './fault.ts';
import { besideCells } from './biff.ts';
import { binarySheetMargins, sheetMargins } from './header-footer.ts';
import { chartLosses, partLosses, PICTURE, picturesLeftOut } from './office-losses.ts';
import { type Property, propertiesOf, withProperties } from './properties.ts';
import { type Sheet, sheetsText } from './sheet-text.ts';
import { paragraphsOf, readXml } from './xml.ts';
import { type Parts, partsOf, refuseEncrypted } from './zip-parts.ts';

const DRAWING = /^xl\/drawings\/drawing\d*\.xml$/;
const DIAGRAM = /^xl\/diagrams\/data\d*\.xml$/;
const CHART = /^xl\/charts\/chart(?:Ex)?\d*\.xml$/;
const SHEET = /^xl\/(?:worksheets|chartsheets)\/[^/]+\.xml$/;
const BINARY_SHEET = /^xl\/(?:worksheets|chartsheets)\/[^/]+\.bin$/;
const PROPERTIES = /^docProps\/(?:core|custom)\.xml$/;
const WANTED = [DRAWING, DIAGRAM, CHART, SHEET, BINARY_SHEET, PROPERTIES];
/** Parts that the reader of cells reads. */
const CELLS =
  /^xl\/(?:workbook|sharedStrings|styles|metadata)\.(?:xml|bin)$|^xl\/(?:worksheets|chartsheets|dialogsheets|macrosheets)\/|^xl\/(?:comments|threadedComments|drawings\/vmlDrawing)/;

/** XLSX, XLSM and XLSB: zip archives. */
export function fromXlsx(content: Uint8Array, maxTextBytes: number): DecodedText {
  const wanted = new RegExp(WANTED.map(({ source }) => source).join('|'));
  const parts = partsOf(content, 'an XLSX', wanted, maxTextBytes);
  const { text: cells, warnings } = fromWorkbook(content, 'an XLSX');
  const { texts, warnings: losses } = besideCellsOf(parts);
  const properties = ['core', 'custom'].flatMap((name) => propertiesOf(parts.text(`docProps/${name}.xml`)));
  return {
    text: withProperties([cells, ...texts].join('\n\n'), properties),
    warnings: [...warnings, ...losses, ...partLosses(parts.names, (name) => CELLS.test(name) || wanted.test(name))],
  };
}

/** Text boxes, diagrams, the titles of charts (their values are those of cells), headers and footers, each once. */
function besideCellsOf({ bytes, names, text }: Parts): { texts: string[]; warnings: Warning[] } {
  const named = (pattern: RegExp) => names.filter((name) => pattern.test(name));
  const drawings = [...named(DRAWING), ...named(DIAGRAM), ...named(CHART)];
  const shown = named(DRAWING).map((name) => descriptionsOf(text(name)));
  const described = shown.reduce((sum, { pictures }) => sum + pictures, 0);
  const texts = [
    ...drawings.flatMap((name) => paragraphsOf(text(name), 'a:p', 'a:t')),
    ...shown.flatMap(({ descriptions }) => descriptions),
    ...named(SHEET).flatMap((name) => sheetMargins(bytes[name] as Uint8Array)),
    ...named(BINARY_SHEET).flatMap((name) => binarySheetMargins(bytes[name] as Uint8Array)),
  ];
  return {
    texts: [...new Set(texts)],
    warnings: [...picturesLeftOut(named(PICTURE).length - described), ...chartLosses(named(CHART).length)],
  };
}

/** The descriptions of pictures, charts and shapes in a drawing, and how many of them are of pictures. */
function descriptionsOf(xml: string): { descriptions: string[]; pictures: number } {
  const descriptions: string[] = [];
  let pictures = 0;
  let isDescribed = false;
  readXml(xml, {
    start(name, { descr = '' }) {
      if (name === 'xdr:cNvPr') {
        isDescribed = descr.trim() !== '';
        if (isDescribed) descriptions.push(descr.trim());
      } else if (name === 'xdr:blipFill' && isDescribed) pictures++;
    },
    text: () => {},
    end: () => {},
  });
  return { descriptions, pictures };
}

/** For Excel 5 to 2003: strings of the older versions are in a code page. */
export function fromXls(content: Uint8Array): DecodedText {
  refuseEncrypted(content);
  xlsx.set_cptable(codePages);
  const { text, warnings, properties } = fromWorkbook(content, 'an XLS');
  const beside = besideCells(content);
  return {
    text: withProperties([text, ...beside.texts].join('\n\n'), properties),
    warnings: [...warnings, ...beside.warnings],
  };
}

// The system date format is written in ISO 8601.
// Stubs: cells without a value, which may have a formula or a comment.
const OPTIONS = { dense: true, cellNF: true, sheetStubs: true, dateNF: 'yyyy-mm-dd' } as const;

function fromWorkbook(content: Uint8Array, format: string): DecodedText & { properties: Property[] } {
  const book = parsed(content, format);
  const formulas = { count: 0 };
  const sheets = book.SheetNames.map((name, at): Sheet => {
    const sheet = book.Sheets[name] ?? {};
    const isHidden = (book.Workbook?.Sheets?.[at]?.Hidden ?? 0) !== 0;
    return { name, isHidden, ...cellsOf(sheet, formulas) };
  });
  const { text, warnings } = sheetsText(sheets);
  const { Title = '', Subject = '', Author = '', Keywords = '', Comments = '' } = book.Props ?? {};
  const properties: Property[] = [
    ['Title', Title],
    ['Subject', Subject],
    ['Author', Author],
    ['Keywords', Keywords],
    ['Description', Comments],
  ];
  return { text, warnings: [...warnings, ...withoutValue(formulas.count)], properties };
}

function parsed(content: Uint8Array, format: string) {
  try {
    return xlsx.read(content, { type: 'array', ...OPTIONS });
  } catch (error) {
    const { message } = error as Error;
    if (/password/i.test(message)) throw new Fault('it is protected by a password');
    throw new Fault(`it is not ${format} that can be read (${message})`);
  }
}

function cellsOf(sheet: WorkSheet, formulas: { count: number }): Pick<Sheet, 'rows' | 'comments'> {
  const rows: (string | undefined)[][] = [];
  const comments: string[] = [];
  (sheet['!data'] ?? []).forEach((cells, row) => {
    const shown: (string | undefined)[] = (rows[row] = []);
    (cells as CellObject[] | undefined)?.forEach((cell, column) => {
      shown[column] = shownText(cell);
      if (cell.t === 'z' && cell.f !== undefined) formulas.count++;
      const place = xlsx.utils.encode_cell({ r: row, c: column });
      for (const { t, a } of cell.c ?? []) if (t) comments.push(`Comment on ${place}${a ? ` by ${a}` : ''}: ${t}`);
    });
  });
  return { rows, comments };
}

/** A formula without a calculated value is written as it is. */
function shownText({ w, v, t, z, f }: CellObject): string {
  if (t === 'z') return f === undefined ? '' : `=${f}`;
  if (w !== undefined && w !== '') return w;
  if (t === 'n' && typeof z === 'string') return formatted(z, v as number);
  return v === undefined ? '' : String(v);
}

const SSF = xlsx.SSF as { format: (code: string, value: number) => string };

/** SSF reads a full stop in a date format, as in `dd.mm.yyyy`, only as an escaped character. */
function formatted(format: string, value: number): string {
  try {
    return SSF.format(format.replaceAll(/(?<!\\)\./g, '\\.'), value) || String(value);
  } catch {
    return String(value);
  }
}

function withoutValue(count: number): Warning[] {
  if (count === 0) return [];
  const detail = `${count} formulas have no calculated value in the file and are written as formulas`;
  return [{ code: 'formulas_without_value', detail, count }];
}

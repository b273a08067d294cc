import * as xlsx from '@e965/xlsx';
import type { CellObject, WorkSheet } from '@e965/xlsx';
import * as codePages from '@e965/xlsx/dist/cpexcel.full';
import type { Warning } from '../../../../../contract/warning.contract.ts';
import type { DecodedText } from '../charset.ts';
import { Fault } from './fault.ts';
import { officeLosses, picturesLeftOut } from './office-losses.ts';
import { type Sheet, sheetsText } from './sheet-text.ts';
import { paragraphsOf } from './xml.ts';
import { partsOf, refuseEncrypted } from './zip-parts.ts';

/** XLSX, XLSM and XLSB: zip archives. */
export function fromXlsx(content: Uint8Array, maxTextBytes: number): DecodedText {
  const { names, bytes, text } = partsOf(content, 'an XLSX', /^xl\/drawings\/drawing\d*\.xml$/, maxTextBytes);
  const { text: cells, warnings } = fromWorkbook(content, 'an XLSX');
  const boxes = Object.keys(bytes).flatMap((name) => paragraphsOf(text(name), 'a:p', 'a:t'));
  return {
    text: [cells, ...boxes].join('\n\n'),
    warnings: [...warnings, ...officeLosses(names), ...picturesLeftOut(names)],
  };
}

/** For Excel 5 to 2003: strings of the older versions are in a code page. */
export function fromXls(content: Uint8Array): DecodedText {
  refuseEncrypted(content);
  xlsx.set_cptable(codePages);
  return fromWorkbook(content, 'an XLS');
}

// The system date format is written in ISO 8601.
// Stubs: cells without a value, which may have a formula or a comment.
const OPTIONS = { dense: true, cellNF: true, sheetStubs: true, dateNF: 'yyyy-mm-dd' } as const;

function fromWorkbook(content: Uint8Array, format: string): DecodedText {
  const book = parsed(content, format);
  const formulas = { count: 0 };
  const sheets = book.SheetNames.map((name, at): Sheet => {
    const sheet = book.Sheets[name] ?? {};
    const isHidden = (book.Workbook?.Sheets?.[at]?.Hidden ?? 0) !== 0;
    return { name, isHidden, ...cellsOf(sheet, formulas) };
  });
  const { text, warnings } = sheetsText(sheets);
  return { text, warnings: [...warnings, ...withoutValue(formulas.count)] };
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

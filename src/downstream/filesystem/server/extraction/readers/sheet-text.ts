import type { Warning } from '../../../../../contract/warning.contract.ts';
import { isHeaderRow } from '../../../../../text/table-header.ts';
import type { DecodedText } from '../charset.ts';

/** A sheet with the displayed values of its cells. */
export interface Sheet {
  name: string;
  isHidden: boolean;
  /** By row and column, both counted from 0. Empty positions and rows may be missing. */
  rows: (string | undefined)[][];
  /** Comments of cells. */
  comments: string[];
}

/** A longer header does not fit into the title of a passage: then each row repeats the column names. */
const MAX_HEADER_CHARS = 180;

/** Each sheet as a heading and a Markdown table, or, for a wide sheet, as one paragraph for each row. */
export function sheetsText(sheets: readonly Sheet[]): DecodedText {
  const written = sheets.map((sheet) => sheetText(sheet)).filter((text) => text !== '');
  return { text: written.join('\n\n'), warnings: hiddenSheets(sheets) };
}

function hiddenSheets(sheets: readonly Sheet[]): Warning[] {
  const names = sheets.filter(({ isHidden }) => isHidden).map(({ name }) => name);
  if (names.length === 0) return [];
  const detail = `${names.length} sheets are hidden in the file; their cells are part of the text`;
  return [
    { code: 'hidden_sheets_read', detail, count: names.length, place: `sheets ${names.slice(0, 10).join(', ')}` },
  ];
}

function sheetText({ name, rows, comments }: Sheet): string {
  const columns = usedColumns(rows);
  const filled: string[][] = [];
  // Here and below `forEach` skips missing rows and cells: a sheet may have a single one in its last row.
  rows.forEach((row) => {
    const cells = columns.map((column) => oneLine(row[column] ?? ''));
    if (cells.some((cell) => cell !== '')) filled.push(cells);
  });
  if (filled.length === 0 && comments.length === 0) return '';
  const intro = introOf(filled, columns.length);
  const table = filled.slice(intro.length);
  const isHead = isHeaderRow(table[0] ?? [], table[1]);
  const header = isHead ? (table[0] as string[]) : columns.map(columnName);
  const body = isHead ? table.slice(1) : table;
  const cells = header.join(' | ').length > MAX_HEADER_CHARS ? records(header, body) : markdown(header, body);
  const parts = [`# ${name}`, ...intro.flat().filter((cell) => cell !== ''), ...cells, ...comments];
  return parts.filter((part) => part !== '').join('\n\n');
}

/** Columns with any text. A sheet may have a single cell in its last of 16,384 columns. */
function usedColumns(rows: Sheet['rows']): number[] {
  const used = new Set<number>();
  rows.forEach((row) => row.forEach((cell, column) => cell !== undefined && cell.trim() !== '' && used.add(column)));
  return [...used].sort((a, b) => a - b);
}

/** The rows above a table that are its title or a remark: rows with a single cell. */
function introOf(rows: readonly string[][], columns: number): string[][] {
  if (columns < 2) return [];
  const end = rows.findIndex((row) => row.filter((cell) => cell !== '').length > 1);
  return rows.slice(0, Math.max(0, end));
}

function markdown(header: readonly string[], rows: readonly string[][]): string[] {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  const lines = rows.map(line);
  return header.length === 0 ? [] : [[line(header), `|${' --- |'.repeat(header.length)}`, ...lines].join('\n')];
}

function records(header: readonly string[], rows: readonly string[][]): string[] {
  return rows.map((row) =>
    row.flatMap((cell, at) => (cell === '' ? [] : [header[at] ? `${header[at]}: ${cell}` : cell])).join('; '),
  );
}

/** `A` for 0, `AA` for 26. */
export function columnName(column: number): string {
  const rest = Math.floor(column / 26);
  return (rest === 0 ? '' : columnName(rest - 1)) + String.fromCharCode(65 + (column % 26));
}

const oneLine = (text: string) => text.replaceAll(/\s+/g, ' ').trim();

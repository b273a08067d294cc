import type { Grid } from './grids.ts';
import type { TextItem } from './segments.ts';

/** A ruled table with its texts; `items` are all that stand in it. */
export interface Table {
  rows: string[];
  items: ReadonlySet<TextItem>;
}

/** A grid of which fewer cells hold text is a chart or a form. */
const MIN_FILLED = 0.4;
/** Where more texts go over the borders of columns, the grid is no table. */
const MAX_ACROSS = 0.1;

/** The tables among grids, as rows of Markdown. */
export function tablesOf(grids: readonly Grid[], items: readonly TextItem[]): Table[] {
  return grids.flatMap((grid) => {
    const cells = grid.rows.slice(1).map(() => grid.columns.slice(1).map((): TextItem[] => []));
    const inside = new Set<TextItem>();
    let across = 0;
    for (const item of items) {
      const [row, column] = placeOf(item, grid);
      const cell = cells[row]?.[column];
      if (item.str.trim() === '' || cell === undefined) continue;
      inside.add(item);
      cell.push(item);
      if ((item.transform[4] ?? 0) + item.width > (grid.columns[column + 1] ?? 0) + item.height) across++;
    }
    const isTable = across <= inside.size * MAX_ACROSS && isFilled(cells);
    return isTable ? [{ rows: markdown(cells.flatMap(byLines)), items: inside }] : [];
  });
}

/** The numbers of its row and column; one that is not in the grid has none. */
function placeOf({ transform, width, height }: TextItem, { rows, columns }: Grid): [number, number] {
  const [left = 0, base = 0] = transform.slice(4);
  const middle = base + height / 4;
  // By its beginning, because a text may be longer than its cell.
  const begin = left + Math.min(width / 2, height / 2);
  return [rows.findLastIndex((border) => border >= middle), columns.findLastIndex((border) => border <= begin)];
}

function isFilled(cells: readonly TextItem[][][]): boolean {
  const filled = cells.flat().filter((texts) => texts.length > 0).length;
  const rows = cells.filter((row) => row.some((texts) => texts.length > 0)).length;
  const columns = (cells[0] ?? []).filter((_, n) => cells.some((row) => (row[n]?.length ?? 0) > 0)).length;
  return rows > 1 && columns > 1 && filled >= MIN_FILLED * rows * columns;
}

/** Lines in all cells of a row that are as many as this, and level with one another, are rows without rules. */
const MIN_LEVEL_LINES = 3;

/** The rows of which a ruled row consists. */
function byLines(row: readonly TextItem[][]): TextItem[][][] {
  const bases = row.filter((cell) => cell.length > 0).map((cell) => new Set(cell.map(baseOf)));
  const [first = new Set<number>()] = bases;
  const isLevel =
    bases.length > 1 && bases.every((one) => one.size === first.size && [...one].every((base) => first.has(base)));
  if (!isLevel || first.size < MIN_LEVEL_LINES) return [[...row]];
  return [...first]
    .sort((one, other) => other - one)
    .map((base) => row.map((cell) => cell.filter((item) => baseOf(item) === base)));
}

const baseOf = ({ transform }: TextItem) => Math.round(transform[5] ?? 0);

/** Texts without a gap between them are one word; a word that is hyphenated at the end of a line is joined. */
function cellText(cell: readonly TextItem[]): string {
  let text = '';
  let before: TextItem | undefined;
  for (const item of cell) {
    const str = item.str.trim();
    const isNewLine = before !== undefined && baseOf(before) - baseOf(item) > item.height / 2;
    if (isNewLine && /\p{L}[-\u00ad\u2010]$/u.test(text) && /^\p{Ll}/u.test(str)) text = text.slice(0, -1) + str;
    else text += before === undefined || isTouching(before, item) ? str : ` ${str}`;
    before = item;
  }
  return text.replaceAll('|', '\\|');
}

/** The part of the height of letters that is less than a space. */
const NO_GAP = 0.15;

function isTouching(before: TextItem, next: TextItem): boolean {
  const gap = (next.transform[4] ?? 0) - (before.transform[4] ?? 0) - before.width;
  const isLevel = Math.abs(baseOf(before) - baseOf(next)) <= Math.max(before.height, next.height) / 2;
  const isSpaced = /\s$/.test(before.str) || /^\s/.test(next.str);
  return isLevel && !isSpaced && Math.abs(gap) < NO_GAP * Math.max(before.height, next.height);
}

/** Rows and columns without any text are rules beside one another. */
function markdown(cells: readonly TextItem[][][]): string[] {
  const columns = (cells[0] ?? []).map((_, n) => n).filter((n) => cells.some((row) => (row[n]?.length ?? 0) > 0));
  const rows = cells.filter((row) => row.some((texts) => texts.length > 0));
  const [head = '', ...others] = rows.map((row) => {
    return `| ${columns.map((n) => cellText(row[n] ?? [])).join(' | ')} |`;
  });
  return [head, `|${' --- |'.repeat(columns.length)}`, ...others];
}

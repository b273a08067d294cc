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
    const cells = grid.rows.slice(1).map(() => grid.columns.slice(1).map((): string[] => []));
    const inside = new Set<TextItem>();
    let across = 0;
    for (const item of items) {
      const [row, column] = placeOf(item, grid);
      const cell = cells[row]?.[column];
      if (item.str.trim() === '' || cell === undefined) continue;
      inside.add(item);
      cell.push(item.str.trim());
      if ((item.transform[4] ?? 0) + item.width > (grid.columns[column + 1] ?? 0) + item.height) across++;
    }
    const isTable = across <= inside.size * MAX_ACROSS && isFilled(cells);
    return isTable ? [{ rows: markdown(cells), items: inside }] : [];
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

function isFilled(cells: readonly string[][][]): boolean {
  const filled = cells.flat().filter((texts) => texts.length > 0).length;
  const rows = cells.filter((row) => row.some((texts) => texts.length > 0)).length;
  const columns = (cells[0] ?? []).filter((_, n) => cells.some((row) => (row[n]?.length ?? 0) > 0)).length;
  return rows > 1 && columns > 1 && filled >= MIN_FILLED * rows * columns;
}

/** Rows and columns without any text are rules beside one another. */
function markdown(cells: readonly string[][][]): string[] {
  const columns = (cells[0] ?? []).map((_, n) => n).filter((n) => cells.some((row) => (row[n]?.length ?? 0) > 0));
  const rows = cells.filter((row) => row.some((texts) => texts.length > 0));
  const [head = '', ...others] = rows.map((row) => {
    const texts = columns.map((n) => (row[n] ?? []).join(' ').replaceAll('|', '\\|'));
    return `| ${texts.join(' | ')} |`;
  });
  return [head, `|${' --- |'.repeat(columns.length)}`, ...others];
}

import { isSameLine, type Segment } from './segments.ts';

/** Fewer lines than this are no column. */
const MIN_LINES = 6;
/** A column of prose has lines of at least this many letters on average; shorter ones are cells of a table. */
const MIN_LETTERS = 18;
/** The share of the lines of a page that have to be divided at the same place. */
const MIN_SHARE = 0.5;

/**
 * Puts the lines of text columns into reading order, where the file draws them across the columns: the left column
 * before the right one, between lines that go over both. Most files draw one column after the other; their order is
 * kept. So is that of tables, which are read across.
 * @returns undefined where the order is kept
 */
export function inColumns(segments: readonly Segment[]): Segment[] | undefined {
  const rows = rowsOf(segments);
  const gutter = gutterOf(rows);
  if (gutter === undefined) return undefined;
  const divided = rows.filter((row) => isDivided(row, gutter));
  const sides = [(segment: Segment) => segment.right <= gutter, (segment: Segment) => segment.left >= gutter];
  const isProse = sides.every((isOnSide) => meanLetters(divided.flat().filter(isOnSide)) >= MIN_LETTERS);
  return isProse ? byColumns(rows, gutter) : undefined;
}

/** Neighbouring segments of one line, as the file draws them. */
function rowsOf(segments: readonly Segment[]): Segment[][] {
  const rows: Segment[][] = [];
  for (const segment of segments) {
    const row = rows.at(-1);
    const last = row?.at(-1);
    if (row !== undefined && last !== undefined && isSameLine(last, segment) && segment.left >= last.right)
      row.push(segment);
    else rows.push([segment]);
  }
  return rows;
}

/** The place at which most lines are divided in two. */
function gutterOf(rows: readonly Segment[][]): number | undefined {
  const gaps = rows
    .filter((row) => row.length === 2)
    .map(([one, other]) => [one?.right ?? 0, other?.left ?? 0] as const);
  if (gaps.length < MIN_LINES || gaps.length < rows.length * MIN_SHARE) return undefined;
  const places = gaps.map(([from, to]) => (from + to) / 2);
  const counted = places.map((place) => ({
    place,
    gaps: gaps.filter(([from, to]) => from <= place && place <= to).length,
  }));
  const best = counted.sort((one, other) => other.gaps - one.gaps)[0];
  return best !== undefined && best.gaps >= gaps.length * 0.9 ? best.place : undefined;
}

const isDivided = (row: readonly Segment[], gutter: number) =>
  row.length === 2 && row.every(({ left, right }) => right <= gutter || left >= gutter);

function meanLetters(segments: readonly Segment[]): number {
  return segments.reduce((letters, { text }) => letters + text.trim().length, 0) / Math.max(1, segments.length);
}

function byColumns(rows: readonly Segment[][], gutter: number): Segment[] {
  const ordered: Segment[] = [];
  let left: Segment[] = [];
  let right: Segment[] = [];
  const flush = () => {
    ordered.push(...left, ...right);
    left = [];
    right = [];
  };
  for (const row of rows) {
    const isOver = row.some((segment) => segment.left < gutter && segment.right > gutter);
    if (isOver) {
      flush();
      ordered.push(...row.slice(0, -1), ...row.slice(-1).map((segment) => ({ ...segment, ends: true })));
    } else for (const segment of row) (segment.right <= gutter ? left : right).push({ ...segment, ends: true });
  }
  flush();
  return ordered;
}

import type { PdfPage, TextContent } from '../outline.ts';
import { inColumns } from './columns.ts';
import { gridsOf } from './grids.ts';
import { rulesOf } from './rules.ts';
import { type Segment, segmentsOf, type TextItem } from './segments.ts';
import { type Table, tablesOf } from './tables.ts';

/** A line of a page; `height` of its baseline from 0, the bottom of the page, to 1, or -1 where it has no place. */
export interface Line {
  text: string;
  height: number;
  /** The height of its letters as a part of the page. */
  size: number;
}

/** The printed lines of a page, in reading order. `look`: whether there is time to look for ruled tables. */
export async function printedLines(
  page: PdfPage,
  { items }: TextContent,
  look: (lines: Line[]) => boolean,
): Promise<Line[]> {
  const [, bottom = 0, , top = 1] = page.view;
  const isUpright = page.rotate % 360 === 0;
  const isPlaced = isUpright && top > bottom;
  const placeOf: PlaceOf = (base, size) =>
    isPlaced ? { height: (base - bottom) / (top - bottom), size: size / (top - bottom) } : { height: -1, size: 0 };
  const texts = items.filter((item) => 'str' in item) as TextItem[];
  const segments = segmentsOf(texts);
  const looks = isPlaced && mayHaveTable(segments) && look(asDrawn(texts, [], placeOf));
  // Drawings that cannot be read do not cost the text.
  const rules = looks ? await rulesOf(page).catch(() => []) : [];
  const tables = tablesOf(gridsOf(rules), texts);
  const ordered = isPlaced && tables.length === 0 ? inColumns(segments) : undefined;
  return ordered === undefined ? asDrawn(texts, tables, placeOf) : ordered.map((segment) => lineOf(segment, placeOf));
}

/** Texts whose left sides differ by less stand below one another, in units of the page. */
const ALIGNED = 20;

type PlaceOf = (base: number, size: number) => Pick<Line, 'height' | 'size'>;
const lineOf = ({ text, base, size }: Segment, placeOf: PlaceOf) => ({ text: text.trimEnd(), ...placeOf(base, size) });

/**
 * Whether texts stand side by side on several lines, one below the other: only then are the drawings of the page looked
 * at, because that takes about as long as reading its text.
 */
function mayHaveTable(segments: readonly Segment[]): boolean {
  const lines = new Map<number, number[]>();
  for (const { base, left } of segments) lines.set(Math.round(base), [...(lines.get(Math.round(base)) ?? []), left]);
  const counts = new Map<number, number>();
  for (const lefts of lines.values()) {
    const first = Math.min(...lefts);
    for (const left of new Set(lefts.filter((one) => one !== first).map((one) => Math.round(one / ALIGNED)))) {
      counts.set(left, (counts.get(left) ?? 0) + 1);
    }
  }
  return Math.max(0, ...counts.values()) > 1;
}

/** In the order of the file; a table stands where its first text does. */
function asDrawn(items: readonly TextItem[], tables: readonly Table[], placeOf: PlaceOf): Line[] {
  const lines: Line[] = [];
  const written = new Set<Table>();
  let line: Line | undefined;
  const end = () => {
    if (line !== undefined) lines.push(line);
    line = undefined;
  };
  for (const item of items) {
    const { str, transform, height, hasEOL } = item;
    const table = tables.find((one) => one.items.has(item));
    if (table !== undefined) {
      end();
      if (!written.has(table)) lines.push(...tableLines(table));
      written.add(table);
      continue;
    }
    line ??= { text: '', height: -1, size: 0 };
    line.text += str;
    if (line.height === -1 && str.trim() !== '') Object.assign(line, placeOf(transform[5] ?? 0, height));
    if (hasEOL) end();
  }
  end();
  // White space between the cells of a table is no line.
  return tables.length === 0
    ? lines
    : lines.filter(({ text }, at) => text.trim() !== '' || isBeside(lines[at - 1], lines[at + 1]));
}

const isTableRow = (line: Line | undefined) => line?.text.startsWith('| ') === true && line.height === -1;
const isBeside = (before: Line | undefined, after: Line | undefined) => isTableRow(before) !== isTableRow(after);

/** With empty lines around it. */
function tableLines({ rows }: Table): Line[] {
  return ['', ...rows, ''].map((text) => ({ text, height: -1, size: 0 }));
}

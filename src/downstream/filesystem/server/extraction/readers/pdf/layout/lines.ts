import type { PdfPage } from '../outline.ts';
import { inColumns } from './columns.ts';
import { type Segment, segmentsOf, type TextItem } from './segments.ts';

/** A line of a page; `height` of its baseline from 0, the bottom of the page, to 1, or -1 where it has no place. */
export interface Line {
  text: string;
  height: number;
  /** The height of its letters as a part of the page. */
  size: number;
}

/** The printed lines of a page, in reading order. */
export async function printedLines(page: PdfPage): Promise<Line[]> {
  const { items } = await page.getTextContent();
  const [, bottom = 0, , top = 1] = page.view;
  const isUpright = page.rotate % 360 === 0;
  const isPlaced = isUpright && top > bottom;
  const placeOf: PlaceOf = (base, size) =>
    isPlaced ? { height: (base - bottom) / (top - bottom), size: size / (top - bottom) } : { height: -1, size: 0 };
  const texts = items.filter((item) => 'str' in item) as TextItem[];
  const ordered = isUpright ? inColumns(segmentsOf(texts)) : undefined;
  return ordered === undefined ? asDrawn(texts, placeOf) : ordered.map((segment) => lineOf(segment, placeOf));
}

type PlaceOf = (base: number, size: number) => Pick<Line, 'height' | 'size'>;
const lineOf = ({ text, base, size }: Segment, placeOf: PlaceOf) => ({ text: text.trimEnd(), ...placeOf(base, size) });

function asDrawn(items: readonly TextItem[], placeOf: PlaceOf): Line[] {
  const lines: Line[] = [];
  let line: Line | undefined;
  for (const { str, transform, height, hasEOL } of items) {
    line ??= { text: '', height: -1, size: 0 };
    line.text += str;
    if (line.height === -1 && str.trim() !== '') Object.assign(line, placeOf(transform[5] ?? 0, height));
    if (!hasEOL) continue;
    lines.push(line);
    line = undefined;
  }
  return line === undefined ? lines : [...lines, line];
}

import type { Line } from './lines.ts';

export interface PageLines {
  page: number;
  lines: Line[];
}

/** The part of a page, at its top and at its bottom, in which running heads and feet stand. */
const MARGIN = 0.12;
/** The gap between a head and the text is at least this many times as high as the letters; lines of a text are closer. */
const MIN_GAP = 1.8;
/** The places of a head on two pages differ by less than this part of the page. */
const SAME_PLACE = 0.004;
/** A line on fewer pages, or on a smaller share of them, is no running head. Heads of left and right pages differ. */
const MIN_PAGES = 3;
const MIN_SHARE = 0.4;

interface Occurrence {
  page: number;
  line: Line;
  numbers: number[];
}

/**
 * Keeps running heads and feet on the first page that has them. These are lines in the margin that stand at the same
 * place of many pages in the same words; their numbers are the same, or count the pages.
 * @returns the pages, and those on which something was left out
 */
export function withoutRunningHeads(pages: readonly PageLines[]): { pages: PageLines[]; without: number[] } {
  const repeated = new Set<Line>();
  const first = new Set<Line>();
  const least = Math.max(MIN_PAGES, pages.length * MIN_SHARE);
  for (const alike of groups(pages)) {
    for (const running of byPlace(alike)) {
      if (running.length < least || !countsPages(running)) continue;
      running.forEach(({ line }, at) => (at === 0 ? first : repeated).add(line));
    }
  }
  const left = new Set(pages.flatMap(({ lines }) => apart(lines, (line) => first.has(line) || repeated.has(line))));
  for (const line of first) left.delete(line);
  const without = pages.filter(({ lines }) => lines.some((line) => left.has(line))).map(({ page }) => page);
  return { pages: pages.map(({ page, lines }) => ({ page, lines: lines.filter((line) => !left.has(line)) })), without };
}

/** The outermost of these lines at the top and at the bottom, where a gap sets them apart from the other text. */
function apart(lines: readonly Line[], isRunning: (line: Line) => boolean): Line[] {
  const placed = lines.filter(({ height, text }) => height >= 0 && text.trim() !== '');
  const downward = placed.sort((one, other) => other.height - one.height);
  return [downward, downward.toReversed()].flatMap((inward) => {
    const end = inward.findIndex((line) => !isRunning(line));
    const [last, next] = [inward[end - 1], inward[end]];
    if (last === undefined || next === undefined) return [];
    return Math.abs(last.height - next.height) >= MIN_GAP * Math.max(last.size, next.size) ? inward.slice(0, end) : [];
  });
}

/** The lines in the margins by their words, without numbers. */
function groups(pages: readonly PageLines[]): Occurrence[][] {
  const byWords = new Map<string, Occurrence[]>();
  for (const { page, lines } of pages) {
    for (const line of lines) {
      const isInMargin = line.height >= 0 && (line.height < MARGIN || line.height > 1 - MARGIN);
      if (!isInMargin || line.text.trim() === '') continue;
      const words = line.text.trim().replaceAll(/\s+/g, ' ').replaceAll(/\d+/g, '#');
      const numbers = [...line.text.matchAll(/\d+/g)].map(([digits]) => Number(digits));
      byWords.set(words, [...(byWords.get(words) ?? []), { page, line, numbers }]);
    }
  }
  return [...byWords.values()];
}

/** Those at one place; of several on a page, such as the rows of a table, none is a head. */
function byPlace(alike: readonly Occurrence[]): Occurrence[][] {
  const places: Occurrence[][] = [];
  for (const occurrence of alike) {
    const place = places.find(([first]) => Math.abs((first?.line.height ?? 0) - occurrence.line.height) < SAME_PLACE);
    if (place === undefined) places.push([occurrence]);
    else place.push(occurrence);
  }
  return places.filter((place) => new Set(place.map(({ page }) => page)).size === place.length);
}

/** Whether each number is the same on all pages, or rises with them. */
function countsPages(running: readonly Occurrence[]): boolean {
  const [first] = running;
  return (
    first !== undefined &&
    first.numbers.every((number, at) => {
      const isSame = running.every(({ numbers }) => numbers[at] === number);
      return isSame || running.every(({ numbers, page }) => (numbers[at] ?? 0) - page === number - first.page);
    })
  );
}

/** A text item of PDF.js; `transform` places it (ISO 32000-1, 8.3.3). */
export interface TextItem {
  str: string;
  transform: number[];
  width: number;
  height: number;
  hasEOL: boolean;
}

/** Text on one line without a wide gap, in units of the page, with the origin at the bottom left. */
export interface Segment {
  text: string;
  left: number;
  right: number;
  /** The height of the baseline over the bottom of the page. */
  base: number;
  /** The height of its letters. */
  size: number;
  /** Whether the line ends after it. */
  ends: boolean;
}

/** A gap that is wider than this many letter heights separates columns, not words. */
const WIDE_GAP = 1;
/** Letters whose baselines differ by a smaller part of their height stand on one line. */
const SAME_LINE = 0.5;

/** Joins items to segments, in the order of the file. */
export function segmentsOf(items: readonly TextItem[]): Segment[] {
  const segments: Segment[] = [];
  let current: Segment | undefined;
  for (const { str, transform, width, height, hasEOL } of items) {
    const [left = 0, base = 0] = transform.slice(4);
    // PDF.js adds items of white space without a size for gaps.
    if (str.trim() !== '') {
      const size = height || Math.hypot(transform[2] ?? 0, transform[3] ?? 0);
      const item = { text: str, left, right: left + width, base, size, ends: false };
      if (current !== undefined && continues(current, item)) {
        current.text += str;
        current.right = Math.max(current.right, item.right);
        current.size = Math.max(current.size, size);
      } else segments.push((current = item));
    } else if (current !== undefined) current.text += str;
    if (hasEOL && current !== undefined) {
      current.ends = true;
      current = undefined;
    }
  }
  return segments;
}

function continues(before: Segment, next: Segment): boolean {
  const isNear = next.left - before.right <= WIDE_GAP * Math.max(before.size, next.size) && next.left >= before.left;
  return isNear && isSameLine(before, next);
}

export function isSameLine(one: Segment, other: Segment): boolean {
  return Math.abs(one.base - other.base) < SAME_LINE * Math.max(one.size, other.size);
}

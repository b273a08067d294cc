export interface Piece {
  text: string;
  highlighted: boolean;
}

const BEFORE_CHARS = 60;

/** A passage cut down to about `maxChars` around its first highlight, in pieces; highlights are word for word from the text. */
export function piecesOf(text: string, highlights: readonly string[], maxChars: number): Piece[] {
  const ranges = highlights
    .map((highlight) => ({ start: text.indexOf(highlight), length: highlight.length }))
    .filter(({ start, length }) => start >= 0 && length > 0)
    .sort((a, b) => a.start - b.start);
  const first = ranges[0]?.start ?? 0;
  const from = text.length <= maxChars ? 0 : wordBefore(text, Math.max(0, first - BEFORE_CHARS));
  const to = Math.min(text.length, from + maxChars);
  const pieces: Piece[] = [];
  let place = from;
  for (const { start, length } of ranges) {
    if (start < place || start >= to) continue;
    if (start > place) pieces.push({ text: text.slice(place, start), highlighted: false });
    place = Math.min(to, start + length);
    pieces.push({ text: text.slice(start, place), highlighted: true });
  }
  if (place < to) pieces.push({ text: text.slice(place, to), highlighted: false });
  if (from > 0) pieces.unshift({ text: '… ', highlighted: false });
  if (to < text.length) pieces.push({ text: ' …', highlighted: false });
  return pieces;
}

function wordBefore(text: string, place: number): number {
  const space = text.lastIndexOf(' ', place);
  return place === 0 || space < 0 ? 0 : space + 1;
}

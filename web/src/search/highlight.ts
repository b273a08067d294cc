export interface Piece {
  text: string;
  highlighted: boolean;
}

interface Range {
  start: number;
  end: number;
}

const BEFORE_CHARS = 80;
/** Words that share so many letters at their beginning count as forms of one word. */
const STEM_CHARS = 5;

/**
 * A passage cut down to about `maxChars` around what matches, in pieces. The words of the query are highlighted; where a
 * passage has none of them, the sentences that the server says match.
 */
export function piecesOf(text: string, query: string, sentences: readonly string[], maxChars: number): Piece[] {
  const places = sentences.flatMap((sentence): Range[] => {
    const start = sentence === '' ? -1 : text.indexOf(sentence);
    return start < 0 ? [] : [{ start, end: start + sentence.length }];
  });
  const words = wordsIn(text, query);
  const ranges = (words.length > 0 ? words : places).sort((a, b) => a.start - b.start);
  const first = (places[0] ?? ranges[0])?.start ?? 0;
  const from = text.length <= maxChars ? 0 : wordBefore(text, Math.max(0, first - BEFORE_CHARS));
  return cut(text, ranges, from, Math.min(text.length, from + maxChars));
}

function wordsIn(text: string, query: string): Range[] {
  const stems = query.toLowerCase().match(/[\p{L}\p{N}]{2,}/gu) ?? [];
  return [...text.matchAll(/[\p{L}\p{N}]+/gu)].flatMap(({ 0: word, index }): Range[] => {
    const lower = word.toLowerCase();
    const matches = stems.some(
      (stem) => lower === stem || (stem.length >= STEM_CHARS && lower.startsWith(stem.slice(0, STEM_CHARS))),
    );
    return matches ? [{ start: index, end: index + word.length }] : [];
  });
}

function cut(text: string, ranges: readonly Range[], from: number, to: number): Piece[] {
  const pieces: Piece[] = from > 0 ? [{ text: '… ', highlighted: false }] : [];
  let place = from;
  for (const { start, end } of ranges) {
    if (start < place || start >= to) continue;
    if (start > place) pieces.push({ text: text.slice(place, start), highlighted: false });
    place = Math.min(to, end);
    pieces.push({ text: text.slice(start, place), highlighted: true });
  }
  if (place < to) pieces.push({ text: text.slice(place, to), highlighted: false });
  if (to < text.length) pieces.push({ text: ' …', highlighted: false });
  return pieces;
}

function wordBefore(text: string, place: number): number {
  const space = text.lastIndexOf(' ', place);
  return place === 0 || space < 0 ? 0 : space + 1;
}

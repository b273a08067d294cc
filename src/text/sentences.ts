import { PAUSE_CHARS, unpaced } from './paced.js';

export interface Span {
  /** UTF-16 code units, `end` excluded. */
  start: number;
  end: number;
}

/** Abbreviations whose full stop does not end a sentence. */
const ABBREVIATIONS = new Set(
  'al approx ca cf ch chap dr ed eds eg eq eqs etc fig figs ie mr mrs ms no nos p pp prof ref refs sec st vol vs'.split(
    ' ',
  ),
);
const CLOSERS = new Set(['"', "'", ')', ']', '}', '”', '’', '»', '』', '」', '*', '_']);

/**
 * The sentences of `text` between `start` and `end`, trimmed. The end of a list item or a table row and a blank line
 * also end a sentence. Reads the text once, whatever it contains. Pauses with undefined, see `Paced`.
 */
export function* sentencesOf(text: string, start = 0, end = text.length): Generator<Span | undefined> {
  let from = start;
  for (const at of endsOf(text, start, end)) {
    if (at === undefined) {
      yield undefined;
      continue;
    }
    const span = trim(text, from, at);
    if (span.end > span.start) yield span;
    from = at;
  }
}

/** All of them, see {@link sentencesOf}. */
export function sentences(text: string, start = 0, end = text.length): Span[] {
  return [...unpaced(sentencesOf(text, start, end))];
}

/** Where the sentences end. */
function* endsOf(text: string, start: number, end: number): Generator<number | undefined> {
  for (let i = start; i < end; i++) {
    if (i % PAUSE_CHARS === 0) yield undefined;
    const character = text[i] as string;
    if (character === '\n') {
      if (startsItem(text, i + 1, end)) yield i + 1;
    } else if ('。！？｡'.includes(character)) {
      yield i + 1;
    } else if (character === '.' || character === '!' || character === '?' || character === '…') {
      const first = i;
      while (i + 1 < end && (isStop(text[i + 1] as string) || CLOSERS.has(text[i + 1] as string))) {
        if (++i % PAUSE_CHARS === 0) yield undefined;
      }
      if (endsSentence(text, first, i + 1, end)) yield i + 1;
    }
  }
  yield end;
}

/** The span without white space at both ends. */
export function trim(text: string, start: number, end: number): Span {
  while (start < end && isBlank(text.charCodeAt(start))) start++;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
  return { start, end };
}

export function isBlank(code: number): boolean {
  return code === 32 || (code >= 9 && code <= 13) || code === 0xa0 || code === 0x3000 || code === 0xfeff;
}

function isStop(character: string): boolean {
  return character === '.' || character === '!' || character === '?' || character === '…';
}

/** `stop` is the position of the first full stop, `next` that of the text after the stops and closing marks. */
function endsSentence(text: string, stop: number, next: number, end: number): boolean {
  if (next >= end) return true;
  if (!isBlank(text.charCodeAt(next))) return false;
  if (text[stop] !== '.') return true;
  // A full stop after a space ends the sentence, whatever case the text is in.
  if (stop > 0 && isBlank(text.charCodeAt(stop - 1))) return true;
  const word = wordBefore(text, stop);
  if (ABBREVIATIONS.has(word.toLowerCase()) || (word.length === 1 && /\p{L}/u.test(word))) return false;
  const follower = text[nextVisible(text, next, end)];
  return follower === undefined || !/\p{Ll}/u.test(follower);
}

function wordBefore(text: string, stop: number): string {
  let start = stop;
  while (start > 0 && stop - start < 10 && /[\p{L}\p{N}]/u.test(text[start - 1] as string)) start--;
  return text.slice(start, stop);
}

/** Looks ahead a bounded number of characters, so that a long run of stops and blanks is not read again and again. */
function nextVisible(text: string, from: number, end: number): number {
  const limit = Math.min(end, from + 20);
  let i = from;
  while (i < limit && isBlank(text.charCodeAt(i))) i++;
  return i;
}

const ITEM = /[ \t]{0,20}(?:[-*+•]|\d{1,4}[.)])[ \t]|[ \t\r]{0,20}[\n#|]/y;

function startsItem(text: string, at: number, end: number): boolean {
  if (at >= end) return false;
  ITEM.lastIndex = at;
  return ITEM.test(text);
}

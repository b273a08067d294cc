/** A piece of an item of a page's text: fractions of its characters, 0 to 1. */
export interface Mark {
  item: number;
  from: number;
  to: number;
}

interface Word {
  text: string;
  start: number;
  end: number;
}

/** Characters of scripts that put no spaces between words count as words. */
const WORD = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]|[\p{L}\p{N}\p{M}]+/gu;
/** A run of this many words of the passage on the page is not a coincidence. */
const RUN = 3;
/** Up to this many words between marked ones are marked too, because a hyphen at the end of a line splits a word. */
const GAP = 4;

/**
 * Finds the words of a passage on a page. The passage is Markdown that was made from the page, with other line ends,
 * hyphens and table rules, and it may begin or end on another page; therefore runs of words are compared, not characters.
 * @param items the texts of the page in reading order, which together are its whole text
 */
export function passageMarks(items: readonly string[], passage: string): Mark[] {
  const words = wordsOf(items.join(''));
  const wanted = wordsOf(passage).map(({ text }) => text);
  const run = Math.min(RUN, wanted.length);
  if (run === 0) return [];
  const runs = new Set(wanted.slice(run - 1).map((_, at) => wanted.slice(at, at + run).join(' ')));
  const marked = new Set<number>();
  for (let at = 0; at + run <= words.length; at += 1) {
    const here = words.slice(at, at + run);
    if (!runs.has(here.map(({ text }) => text).join(' '))) continue;
    for (let word = at; word < at + run; word += 1) marked.add(word);
  }
  return marksIn(items, spansOf(words, marked));
}

function wordsOf(text: string): Word[] {
  return [...text.matchAll(WORD)].map(({ 0: word, index }) => ({
    text: word.normalize('NFKC').toLowerCase(),
    start: index,
    end: index + word.length,
  }));
}

/** The spans of marked words, each from the start of its first to the end of its last. */
function spansOf(words: readonly Word[], marked: ReadonlySet<number>): { start: number; end: number }[] {
  const spans: { start: number; end: number }[] = [];
  let before = -Infinity;
  for (const at of [...marked].sort((a, b) => a - b)) {
    const { start, end } = words[at] as Word;
    const last = spans.at(-1);
    if (last !== undefined && at - before <= GAP + 1) last.end = end;
    else spans.push({ start, end });
    before = at;
  }
  return spans;
}

const hasWord = (text: string) => text.search(WORD) >= 0;

function marksIn(items: readonly string[], spans: readonly { start: number; end: number }[]): Mark[] {
  const marks: Mark[] = [];
  let begin = 0;
  for (const [item, text] of items.entries()) {
    for (const { start, end } of text.trim() === '' ? [] : spans) {
      const from = Math.max(0, start - begin);
      const to = Math.min(text.length, end - begin);
      if (from >= to) continue;
      // Characters differ in width, so a cut inside an item is a guess. There is no cut where no word is beyond it.
      const cutFrom = hasWord(text.slice(0, from)) ? from / text.length : 0;
      marks.push({ item, from: cutFrom, to: hasWord(text.slice(to)) ? to / text.length : 1 });
    }
    begin += text.length;
  }
  return marks;
}

const CLOSE = '</think>';
/** The marks before and after thinking, in lower case. */
const CLOSE_OF: ReadonlyMap<string, string> = new Map([
  ['<think>', CLOSE],
  ['<thinking>', '</thinking>'],
  ['<thought>', '</thought>'],
  ['<reasoning>', '</reasoning>'],
  ['<seed:think>', '</seed:think>'],
  // Magistral
  ['[think]', '[/think]'],
  // Kimi
  ['◁think▷', '◁/think▷'],
  // gpt-oss behind a server that does not parse its channels
  ['<|channel|>analysis<|message|>', '<|end|><|start|>assistant<|channel|>final<|message|>'],
]);
const OPENS: readonly string[] = [...CLOSE_OF.keys()];
const CLOSES: readonly string[] = [...CLOSE_OF.values()];

/** Lower case for the letters of the marks. Other letters stay, because some change their length. */
const foldCase = (text: string) => text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());

/** The mark at the beginning of a text; `undecided` where the text is too short to tell. */
export type LeadingMark =
  | { kind: 'open'; length: number; closes: readonly string[] }
  | { kind: 'close'; length: number }
  | 'none'
  | 'undecided';

export function leadingMark(text: string): LeadingMark {
  const folded = foldCase(text);
  const open = OPENS.find((mark) => folded.startsWith(mark));
  if (open !== undefined) return { kind: 'open', length: open.length, closes: [CLOSE_OF.get(open) as string] };
  const close = CLOSES.find((mark) => folded.startsWith(mark));
  if (close !== undefined) return { kind: 'close', length: close.length };
  return [...OPENS, ...CLOSES].some((mark) => mark.startsWith(folded)) ? 'undecided' : 'none';
}

/** The first closing mark in a text; without one, `at` is where the end of the text may be the beginning of one. */
export function findClose(text: string, marks: readonly string[] = CLOSES): { at: number; length: number } {
  const folded = foldCase(text);
  const found = marks
    .map((mark) => ({ at: folded.indexOf(mark), length: mark.length }))
    .filter(({ at }) => at !== -1)
    .toSorted((a, b) => a.at - b.at)[0];
  return found ?? { at: text.length - longestBeginning(folded, marks), length: 0 };
}

/** The length of the longest end of `text` that a mark begins with. */
function longestBeginning(text: string, marks: readonly string[]): number {
  const longest = Math.max(...marks.map(({ length }) => length)) - 1;
  for (let length = Math.min(longest, text.length); length > 0; length--) {
    const end = text.slice(-length);
    if (marks.some((mark) => mark.startsWith(end))) return length;
  }
  return 0;
}

const FENCE = /^ {0,3}(?:```|~~~)/gm;
const SENTENCE_END = /[.!?…。！？]["'”’»)]? +$/;
/** After these a mark is quoted, or part of code. */
const QUOTES = /(?:(?:^|\s)["'“„‘«([{]|[`<>=/|\s])$/;

/**
 * Whether a closing mark after `before` ends a block of thinking that the prompt has opened: it is on a line of its own,
 * or follows a sentence. A mark that the text quotes, or writes about, is part of the answer.
 */
export function endsThinking(before: string): boolean {
  if (before.trim() === '') return true;
  if (OPENS.some((mark) => foldCase(before).includes(mark))) return false;
  if ((before.match(FENCE)?.length ?? 0) % 2 === 1) return false;
  const line = before.slice(before.lastIndexOf('\n') + 1);
  if (line.trim() === '') return true;
  if ((line.match(/`/g)?.length ?? 0) % 2 === 1) return false;
  return SENTENCE_END.test(line) || !QUOTES.test(line);
}

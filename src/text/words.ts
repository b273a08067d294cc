import { cleaned } from './folding.js';
import { STOP_WORDS } from './stop-words.js';

/** A token of a text, before the rules of a language apply. */
export interface Word {
  text: string;
  /**
   * - `spaced`: a word as written, to which the rules of its language apply
   * - `fixed`: a term that stays unchanged: a pair of characters, an abbreviation
   */
  kind: 'spaced' | 'fixed';
  /** An alternative to the word before it, at the same position: used for search and not for phrases. */
  extra: boolean;
  /** The weight in a query; a usual word has 1. */
  weight: number;
}

/** Longer runs are data, not words; the first characters are enough to distinguish them. */
export const MAX_TERM_CHARS = 64;
const MAX_PARTS = 8;
/**
 * Words with the characters that may join them to a name: `get_user_by_id`, `OPS-31415`, `node:sqlite`, `3.14`,
 * `l'eau`.
 */
const CHUNK = /[\p{L}\p{N}\p{M}]+(?:[-_.:/@&'’ʼʻ＇,·״׳"‐‑][\p{L}\p{N}\p{M}]+){0,15}(?:\+\+|#(?![\p{L}\p{N}]))?/gu;
const RUN =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}\p{Script=Tibetan}ー々〆ヶ]\p{M}*|\p{Script=Hangul}+|[^]/gu;
const UNSPACED =
  /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}\p{Script=Tibetan}ー々〆ヶ]/u;
const UNUSUAL =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}\p{Script=Tibetan}ー々〆ヶ\p{Script=Hangul}]/u;
const HANGUL = /^\p{Script=Hangul}/u;
const CAMEL_HUMP = /(?<=[\p{Ll}\p{N}])(?=\p{Lu})|(?<=\p{Lu})(?=\p{Lu}\p{Ll})/u;
const SIMPLE = /^[A-Za-zÀ-ÖØ-öø-ÿА-Яа-яЁё][a-zß-öø-ÿа-яё]*$/;

/** The chunks of a text between spaces and punctuation, from which words are made. */
export function chunksOf(text: string): readonly string[] {
  return cleaned(text).match(CHUNK) ?? [];
}

/** The words of a text in their order. */
export function wordsOf(text: string): Word[] {
  return chunksOf(text).flatMap((chunk) => wordsOfChunk(chunk));
}

export function wordsOfChunk(chunk: string): Word[] {
  return SIMPLE.test(chunk) ? [spaced(chunk)] : takenApart(chunk);
}

type Script = 'unspaced' | 'hangul' | 'other';

/** Splits a chunk where its script changes: a Latin name within Chinese text is a word of its own. */
function takenApart(chunk: string): Word[] {
  const found: Word[] = [];
  if (!UNUSUAL.test(chunk)) {
    addName(found, chunk);
    return found;
  }
  let script: Script | undefined;
  let open: string[] = [];
  const close = () => {
    if (script === 'unspaced') addPairs(found, open);
    else if (script === 'hangul') addHangul(found, open.join(''));
    else if (script === 'other') addName(found, open.join(''));
    open = [];
  };
  for (const [piece] of chunk.matchAll(RUN)) {
    const next = UNSPACED.test(piece) ? 'unspaced' : HANGUL.test(piece) ? 'hangul' : 'other';
    if (next !== script) close();
    script = next;
    open.push(piece);
  }
  close();
  return found;
}

/** For scripts without spaces: overlapping pairs of characters, each with its marks. */
function addPairs(found: Word[], characters: readonly string[]): void {
  if (characters.length === 1) found.push(fixed(characters[0] as string));
  for (let i = 1; i < characters.length; i++) found.push(fixed(`${characters[i - 1]}${characters[i]}`));
}

/** Words joined by hyphens, which are often also written apart: the joined form weighs less than an identifier. */
const PLAIN_COMPOUND = /^\p{L}[\p{Ll}\p{M}]*(?:[-‐‑'’]\p{L}[\p{Ll}\p{M}]*)+$/u;
const COMPOUND_WEIGHT = 0.3;
const APOSTROPHE = /['’ʼʻ＇]/u;
const JOINT = /[-_.:/@&'’ʼʻ＇,·״׳"‐‑]/u;
/** French, Italian and Catalan words that lose their last vowel before another vowel: l'eau, dell'acqua, qu'il. */
const ELIDED = new Set(
  `l d j n s c m t qu jusqu lorsqu puisqu quelqu quoiqu presqu entr dell nell sull all dall coll quell bell sant nessun
  alcun ciascun senz mezz grand gl degl un`.split(/\s+/),
);
/** English endings after an apostrophe: Newton's, isn't, they're. */
const SUFFIXES = new Set(['s', 't', 're', 've', 'll', 'd', 'm']);

function addName(found: Word[], chunk: string): void {
  const mark = chunk.endsWith('++') ? '++' : chunk.endsWith('#') ? '#' : '';
  const name = chunk.slice(0, chunk.length - mark.length);
  const pieces = name.split(JOINT).filter((piece) => piece !== '');
  const parts = pieces.flatMap((piece) => (piece.length <= MAX_TERM_CHARS ? piece.split(CAMEL_HUMP) : [piece]));
  const wordParts = APOSTROPHE.test(name) && pieces.length === 2 ? withoutElision(pieces as [string, string]) : parts;
  for (const part of wordParts) {
    found.push(spaced(part));
    if (ACRONYM.test(part) && STOP_WORDS.has(part.toLowerCase())) found.push({ ...fixed(part), extra: true });
  }
  const whole = pieces.join('');
  if (mark !== '') found.push({ ...fixed(chunk.toLowerCase()), extra: true });
  if (parts.length > 1 && parts.length <= MAX_PARTS && whole.length <= MAX_TERM_CHARS) {
    found.push({ ...spaced(whole), extra: true, weight: PLAIN_COMPOUND.test(name) ? COMPOUND_WEIGHT : 1 });
  }
}

/** Words in capitals such as IT and WHO, which are not pronouns. */
export const ACRONYM = /^[A-Z]{2,5}$/;
const CYRILLIC = /\p{Script=Cyrillic}|\p{Script=Hebrew}/u;

function withoutElision([first, second]: [string, string]): string[] {
  // In Ukrainian the mark is a letter of the word, in Hebrew it marks an abbreviation.
  if (CYRILLIC.test(first)) return [`${first}${second}`];
  if (ELIDED.has(first.toLowerCase())) return [second];
  if (SUFFIXES.has(second.toLowerCase())) return [first];
  return [first, second];
}

/**
 * For Hangul: pairs of syllables, because particles and compounds are written without a space. The whole word is also
 * added.
 */
function addHangul(found: Word[], word: string): void {
  addPairs(found, Array.from(word));
  if (word.length > 2) found.push({ ...fixed(word.slice(0, MAX_TERM_CHARS)), extra: true });
}

function spaced(text: string): Word {
  return { text: text.slice(0, MAX_TERM_CHARS), kind: 'spaced', extra: false, weight: 1 };
}

function fixed(text: string): Word {
  return { text, kind: 'fixed', extra: false, weight: 1 };
}

import { cleaned } from './folding.js';
import { STOP_WORDS } from './stop-words.js';

/** What a text is made of, before any language has its say. */
export interface Word {
  text: string;
  /**
   * - `spaced`: a word that its language may change, as it is written
   * - `fixed`: a term as it is: a pair of characters, an abbreviation
   */
  kind: 'spaced' | 'fixed';
  /** Stands at the place of the word before it, as another way to say it: it counts for search and not for phrases. */
  extra: boolean;
  /** How much it counts in a question, beside 1 for a usual word. */
  weight: number;
}

/** Longer runs are data, not words; their beginning is enough to tell them apart. */
export const MAX_TERM_CHARS = 64;
const MAX_PARTS = 8;
/** Words with what may join them to a name: `get_user_by_id`, `OPS-31415`, `node:sqlite`, `3.14`, `l'eau`. */
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

/** The pieces of a text that words are made of: what stands between spaces and marks. */
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

/** Cuts a chunk where its script changes: a Latin name within Chinese is a word of its own. */
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

/** Scripts without spaces: overlapping pairs of characters, each with its marks. */
function addPairs(found: Word[], characters: readonly string[]): void {
  if (characters.length === 1) found.push(fixed(characters[0] as string));
  for (let i = 1; i < characters.length; i++) found.push(fixed(`${characters[i - 1]}${characters[i]}`));
}

/** Words with hyphens between, which are often written apart: the whole is worth less than the name of a thing. */
const PLAIN_COMPOUND = /^\p{L}[\p{Ll}\p{M}]*(?:[-‐‑'’]\p{L}[\p{Ll}\p{M}]*)+$/u;
const COMPOUND_WEIGHT = 0.3;
const APOSTROPHE = /['’ʼʻ＇]/u;
const JOINT = /[-_.:/@&'’ʼʻ＇,·״׳"‐‑]/u;
/** French, Italian and Catalan words that lose their vowel before another: l'eau, dell'acqua, qu'il. */
const ELIDED = new Set(
  `l d j n s c m t qu jusqu lorsqu puisqu quelqu quoiqu presqu entr dell nell sull all dall coll quell bell sant nessun
  alcun ciascun senz mezz grand gl degl un`.split(/\s+/),
);
/** What English puts behind a word: Newton's, isn't, they're. */
const SUFFIXES = new Set(['s', 't', 're', 've', 'll', 'd', 'm']);

function addName(found: Word[], chunk: string): void {
  const mark = chunk.endsWith('++') ? '++' : chunk.endsWith('#') ? '#' : '';
  const name = chunk.slice(0, chunk.length - mark.length);
  const pieces = name.split(JOINT).filter((piece) => piece !== '');
  const parts = pieces.flatMap((piece) => (piece.length <= MAX_TERM_CHARS ? piece.split(CAMEL_HUMP) : [piece]));
  const said = APOSTROPHE.test(name) && pieces.length === 2 ? withoutElision(pieces as [string, string]) : parts;
  for (const part of said) {
    found.push(spaced(part));
    if (ACRONYM.test(part) && STOP_WORDS.has(part.toLowerCase())) found.push({ ...fixed(part), extra: true });
  }
  const whole = pieces.join('');
  if (mark !== '') found.push({ ...fixed(chunk.toLowerCase()), extra: true });
  if (parts.length > 1 && parts.length <= MAX_PARTS && whole.length <= MAX_TERM_CHARS) {
    found.push({ ...spaced(whole), extra: true, weight: PLAIN_COMPOUND.test(name) ? COMPOUND_WEIGHT : 1 });
  }
}

/** IT and WHO are no pronouns. */
export const ACRONYM = /^[A-Z]{2,5}$/;
const CYRILLIC = /\p{Script=Cyrillic}|\p{Script=Hebrew}/u;

function withoutElision([first, second]: [string, string]): string[] {
  // In Ukrainian it is a letter of the word, and in Hebrew the mark of an abbreviation.
  if (CYRILLIC.test(first)) return [`${first}${second}`];
  if (ELIDED.has(first.toLowerCase())) return [second];
  if (SUFFIXES.has(second.toLowerCase())) return [first];
  return [first, second];
}

/** Pairs of syllables: particles and compounds are written without a space. The whole word stands beside them. */
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

import { stemmer } from 'stemmer';
import { STOP_WORDS } from './stop-words.js';

const WORD = /[\p{L}\p{N}\p{M}]+(?:['’]\p{L}+)*/gu;
const UNSPACED = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}]/u;
const CAMEL_HUMP = /(?<=[\p{Ll}\p{N}])(?=\p{Lu})/u;
const ASCII = /^[\x00-\x7f]*$/;
/** Longer runs are data, not words; their beginning is enough to tell them apart. */
const MAX_TERM_CHARS = 64;

/**
 * The terms of a text in their order, as they are indexed and asked for: compatibility forms and diacritics folded, lower
 * case, without English stop words, English endings cut by Porter's stemmer. Scripts that put no space between words
 * become overlapping pairs of characters, and a camelCase name its parts and the whole.
 */
export function terms(text: string): string[] {
  const found: string[] = [];
  for (const word of text.match(WORD) ?? []) for (const term of termsOf(word)) found.push(term);
  return found;
}

/** Texts repeat their words: looking one up is some ten times faster than taking it apart again. */
const MAX_REMEMBERED = 50_000;
/** A longer one would be a view into its text, and keep that in memory. */
const MAX_REMEMBERED_CHARS = 12;
const remembered = new Map<string, readonly string[]>();

function termsOf(word: string): readonly string[] {
  const known = remembered.get(word);
  if (known !== undefined) return known;
  const found: string[] = [];
  if (UNSPACED.test(word)) addPairs(found, fold(word));
  else addWord(found, word);
  if (word.length <= MAX_REMEMBERED_CHARS) {
    if (remembered.size >= MAX_REMEMBERED) remembered.clear();
    remembered.set(word, found);
  }
  return found;
}

function addWord(found: string[], word: string): void {
  const parts = word.length <= MAX_TERM_CHARS ? word.split(CAMEL_HUMP) : [word];
  if (parts.length > 1) for (const part of parts) addTerm(found, part);
  addTerm(found, word);
}

function addTerm(found: string[], word: string): void {
  const folded = fold(word).replace(/['’].*/u, '');
  if (folded === '' || STOP_WORDS.has(folded)) return;
  found.push(/^[a-z]{3,64}$/.test(folded) ? stemmer(folded) : folded.slice(0, MAX_TERM_CHARS));
}

function addPairs(found: string[], word: string): void {
  const characters = Array.from(word);
  if (characters.length === 1) found.push(word);
  for (let i = 1; i < characters.length; i++) found.push(`${characters[i - 1]}${characters[i]}`);
}

function fold(word: string): string {
  if (ASCII.test(word)) return word.toLowerCase();
  return word
    .normalize('NFKD')
    .replace(/[\u0300-\u036f]/g, '')
    .normalize('NFC')
    .toLowerCase();
}

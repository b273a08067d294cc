import { formsOf } from './forms.js';
import { lowered } from './folding.js';
import type { Language } from './language.js';
import { STOP_WORDS } from './stop-words.js';
import { chunksOf, type Word, wordsOfChunk } from './words.js';

export interface Analysis {
  /** In the order of the text, as the search for phrases needs it. */
  terms: string[];
  /** Further terms that find the text: other spellings of its words, and whole names. */
  extras: string[];
}

/** The terms of a text in a language, as they are indexed. */
export function analyse(text: string, language: Language): Analysis {
  const found: Analysis = { terms: [], extras: [] };
  const known = rememberedOf(language);
  for (const chunk of chunksOf(text)) {
    let analysed = known.get(chunk);
    if (analysed === undefined) {
      analysed = analyseChunk(chunk, language);
      if (chunk.length <= MAX_REMEMBERED_CHARS) known.set(chunk, analysed);
    }
    for (const term of analysed.terms) found.terms.push(term);
    for (const extra of analysed.extras) found.extras.push(extra);
  }
  if (known.size > MAX_REMEMBERED) known.clear();
  return found;
}

/** Words repeat within texts: a lookup is about ten times faster than analysing a word again. */
const MAX_REMEMBERED = 50_000;
/** A longer word would be a view into its text and would keep that text in memory. */
const MAX_REMEMBERED_CHARS = 12;
const MAX_LANGUAGES = 10;
const remembered = new Map<Language, Map<string, Analysis>>();

function rememberedOf(language: Language): Map<string, Analysis> {
  let known = remembered.get(language);
  if (known === undefined) {
    if (remembered.size >= MAX_LANGUAGES) remembered.clear();
    remembered.set(language, (known = new Map<string, Analysis>()));
  }
  return known;
}

function analyseChunk(chunk: string, language: Language): Analysis {
  const found: Analysis = { terms: [], extras: [] };
  for (const word of wordsOfChunk(chunk)) {
    const [usual, ...others] = termsOf(word, language);
    if (usual === undefined) continue;
    (word.extra ? found.extras : found.terms).push(usual);
    found.extras.push(...others);
  }
  return found;
}

/** The terms of a text that carry its meaning, without stop words. */
export function tellingTerms(text: string, language: Language = 'en'): string[] {
  return analyse(text, language).terms.filter((term) => !STOP_WORDS.has(term));
}

export function termsOf({ text, kind }: Word, language: Language): readonly string[] {
  return kind === 'spaced' ? formsOf(text, language) : [/^[A-Z]/.test(text) ? text : lowered(text)];
}

import { formsOf } from './forms.js';
import { lowered } from './folding.js';
import type { Language } from './language.js';
import { STOP_WORDS } from './stop-words.js';
import { type Word, wordsOf } from './words.js';

export interface Analysis {
  /** In the order of the text: phrases are looked for in them. */
  terms: string[];
  /** Further terms that the text is found by: other spellings of its words, names as a whole. */
  extras: string[];
}

/** The terms of a text in a language, as they are indexed. */
export function analyse(text: string, language: Language): Analysis {
  const found: Analysis = { terms: [], extras: [] };
  for (const word of wordsOf(text)) {
    const [usual, ...others] = termsOf(word, language);
    if (usual === undefined) continue;
    (word.extra ? found.extras : found.terms).push(usual);
    found.extras.push(...others);
  }
  return found;
}

/** The terms of a text that say what it is about: none that only build its sentences. */
export function tellingTerms(text: string, language: Language = 'en'): string[] {
  return analyse(text, language).terms.filter((term) => !STOP_WORDS.has(term));
}

export function termsOf({ text, kind }: Word, language: Language): readonly string[] {
  return kind === 'spaced' ? formsOf(text, language) : [/^[A-Z]/.test(text) ? text : lowered(text)];
}

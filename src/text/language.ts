import { eld } from 'eld/extrasmall';
import { STEMMERS } from './stemmers.js';

/** ISO 639-1 code. */
export type Language = string;

/** The language of a text that is too short to detect. English rules seldom change names and single words. */
export const DEFAULT_LANGUAGE: Language = 'en';

/**
 * Enough to distinguish languages. It is read for every passage, and a longer sample takes longer than the rest of the
 * analysis.
 */
const SAMPLE_CHARS = 250;
const MIN_LETTERS = 20;
const MANY_LETTERS = 200;

/** The language of a text; that of `otherwise` where the text is too short or could be one of several. */
export function languageOf(text: string, otherwise: () => Language = () => DEFAULT_LANGUAGE): Language {
  const sample = text.slice(0, SAMPLE_CHARS);
  const letters = sample.match(/\p{L}/gu)?.length ?? 0;
  if (letters < MIN_LETTERS) return otherwise();
  const found = eld.detect(sample);
  if (!found.isReliable()) return otherwise();
  // A title in English resembles many languages. A language without a stemmer would gain nothing.
  if (letters < MANY_LETTERS && !STEMMERS.has(found.language) && /^[\x00-\x7f]*$/.test(sample)) return otherwise();
  return found.language;
}

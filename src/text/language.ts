import { eld } from 'eld/extrasmall';
import { STEMMERS } from './stemmers.js';

/** ISO 639-1 code. */
export type Language = string;

/** A text that is too short to say is taken for this: names and single words are seldom changed by English rules. */
export const DEFAULT_LANGUAGE: Language = 'en';

/** Enough to tell languages apart; it is looked at for every passage, and more takes longer than all other analysis. */
const SAMPLE_CHARS = 250;
const MIN_LETTERS = 20;
const MANY_LETTERS = 200;

/** The language of a text; `otherwise` where it is too short to say, or looks like several. */
export function languageOf(text: string, otherwise: Language = DEFAULT_LANGUAGE): Language {
  const sample = text.slice(0, SAMPLE_CHARS);
  const letters = sample.match(/\p{L}/gu)?.length ?? 0;
  if (letters < MIN_LETTERS) return otherwise;
  const found = eld.detect(sample);
  if (!found.isReliable()) return otherwise;
  // A title in English looks like many languages, and for those whose words are not stemmed nothing is gained.
  if (letters < MANY_LETTERS && !STEMMERS.has(found.language) && /^[\x00-\x7f]*$/.test(sample)) return otherwise;
  return found.language;
}

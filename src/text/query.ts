import { terms } from './analysis.js';

/** What somebody asked for, taken apart. */
export interface Query {
  text: string;
  /** Every term, those of the phrases among them. */
  terms: string[];
  /** The terms of each “quoted phrase” of two terms or more. */
  phrases: string[][];
  /** Whether there is nothing in it but phrases. */
  isPhraseOnly: boolean;
}

const PHRASE = /["“”„]([^"“”„]+)["“”„]/gu;
/** What a person types is shorter. The rest of a longer text is left out. */
const MAX_QUERY_CHARS = 20_000;
const MAX_PHRASES = 8;
const MAX_PHRASE_TERMS = 32;

export function parseQuery(text: string): Query {
  const bounded = text.slice(0, MAX_QUERY_CHARS);
  const phrases = [...bounded.matchAll(PHRASE)].map(([, phrase]) => terms(phrase as string));
  return {
    text: bounded,
    terms: terms(bounded),
    phrases: phrases
      .filter((phrase) => phrase.length > 1)
      .slice(0, MAX_PHRASES)
      .map((phrase) => phrase.slice(0, MAX_PHRASE_TERMS)),
    isPhraseOnly: phrases.length > 0 && terms(bounded.replace(PHRASE, ' ')).length === 0,
  };
}

/** Whether the terms of `phrase` stand in `sequence` one after the other. */
export function holdsPhrase(sequence: readonly string[], phrase: readonly string[]): boolean {
  const last = sequence.length - phrase.length;
  for (let at = 0; at <= last; at++) if (phrase.every((term, i) => sequence[at + i] === term)) return true;
  return false;
}

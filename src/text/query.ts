import { analyse, termsOf } from './analysis.js';
import { compoundsOf } from './compounds.js';
import { guessesFor } from './guesses.js';
import type { Scope } from '../contract/scope.contract.js';
import { filtersOf } from './scope.js';
import type { Language } from './language.js';
import type { Concept, LexicalImage } from './lexical-image.js';
import { STOP_WORDS } from './stop-words.js';
import { ACRONYM, chunksOf, type Word, wordsOf } from './words.js';

/** A parsed query. The terms for its words depend on the languages of the project. */
export interface Query {
  text: string;
  words: Word[];
  /** The text between quotation marks, where it is more than one word. */
  phrases: string[];
  /** Whether the query consists of phrases only. */
  isPhraseOnly: boolean;
  /** Words that a passage must not hold: `-word`. */
  excluded: Word[];
  /** The documents that are searched; undefined: all. */
  scope: Scope | undefined;
}

const PHRASE = /["“”„«»]([^"“”„«»]+)["“”„«»]/gu;
/** More than a person types. The rest of a longer text is ignored. */
const MAX_QUERY_CHARS = 20_000;
const MAX_WORDS = 1000;
const MAX_PHRASES = 8;

/** @param scope is narrowed by the filters in the text */
export function parseQuery(given: string, scope?: Scope): Query {
  const filters = filtersOf(given.slice(0, MAX_QUERY_CHARS), scope);
  const excluded = [...filters.text.matchAll(EXCLUDED)].map(([, word]) => word as string);
  const text = filters.text.replace(EXCLUDED, ' ');
  const phrases = [...text.matchAll(PHRASE)].map(([, phrase]) => phrase as string);
  return {
    text,
    words: wordsOf(text).slice(0, MAX_WORDS),
    phrases: phrases.filter((phrase) => analyse(phrase, '').terms.length > 1).slice(0, MAX_PHRASES),
    isPhraseOnly: phrases.length > 0 && chunksOf(text.replace(PHRASE, ' ')).length === 0,
    excluded: wordsOf(excluded.join(' ')).slice(0, MAX_CONCEPTS),
    scope: filters.scope,
  };
}

/** A word of three letters or more after a space and a minus sign: shorter ones are command-line options. */
const EXCLUDED = /(?<=\s)-(\p{L}{3,64})(?=\s|$)/gu;

/** Of a longer query only the rarest words are looked up. */
const MAX_CONCEPTS = 128;
const MAX_LANGUAGES = 8;

/**
 * The concepts of a query in a project: each of its words with all the terms that stand for it in the project's
 * languages, weighted by how often the word occurs. Words that no passage holds are left out. So are stop words, unless
 * there is nothing else.
 */
export function conceptsOf(query: Query, image: LexicalImage): Concept[] {
  const languages = image.languages().slice(0, MAX_LANGUAGES);
  const byTerms = new Map<string, Concept>();
  /** Terms that no passage holds, each with the typed word. */
  const unknown = new Map<string, string>();
  for (const word of query.words) {
    const terms = [...new Set(languages.flatMap((language) => spellings(word, language, image)))];
    const known = terms.filter((term) => image.frequency(term) > 0);
    if (known.length === 0) {
      for (const term of terms) unknown.set(term, word.text);
      continue;
    }
    const name = known.join(' ');
    const before = byTerms.get(name);
    if (before === undefined) byTerms.set(name, { terms: known, weight: word.weight, words: [word.text] });
    else byTerms.set(name, joined(before, word));
  }
  const all = [...byTerms.values()];
  const telling = all.filter(({ terms }) => !terms.every((term) => STOP_WORDS.has(term)));
  const compounds = compoundsOf(telling, [...unknown.keys()], image);
  if (telling.length + compounds.length === 0) telling.push(...guessed(unknown, image));
  return [...(telling.length + compounds.length > 0 ? telling : all), ...compounds]
    .sort((a, b) => image.idf(b.terms) - image.idf(a.terms))
    .slice(0, MAX_CONCEPTS);
}

const MAX_GUESSED_WORDS = 8;

/** Corrections, used only if the project holds none of the words: a typed word that exists is never replaced. */
function guessed(unknown: ReadonlyMap<string, string>, image: LexicalImage): Concept[] {
  return [...unknown].slice(0, MAX_GUESSED_WORDS).flatMap(([term, word]) => {
    const terms = guessesFor(term, image);
    return terms.length === 0 ? [] : [{ terms, weight: 1, words: [word], isGuess: true }];
  });
}

function joined({ terms, weight, words = [] }: Concept, word: Word): Concept {
  return { terms, weight: weight + word.weight, words: [...new Set([...words, word.text])] };
}

/** The share of a query for which the project has words, from 0 to 1; rare words count for more. */
export function coverageOf(query: Query, image: LexicalImage): number {
  const languages = image.languages().slice(0, MAX_LANGUAGES);
  const rarest = Math.log(1 + image.passages);
  let known = 0;
  let all = 0;
  for (const word of query.words.filter(({ extra }) => !extra)) {
    const terms = [...new Set(languages.flatMap((language) => termsOf(word, language)))];
    if (terms.every((term) => STOP_WORDS.has(term))) continue;
    const idf = image.idf(terms);
    known += idf;
    all += idf > 0 ? idf : rarest;
  }
  return all === 0 ? 0 : known / all;
}

/** The terms for a word of a query in one language. */
function spellings(word: Word, language: Language, image: LexicalImage): readonly string[] {
  // A word in capitals such as IT is not the pronoun "it" if the project has it in capitals.
  if (ACRONYM.test(word.text) && image.frequency(word.text) > 0) return [word.text];
  if (word.kind === 'fixed' && Array.from(word.text).length === 1) return [word.text, ...image.pairsWith(word.text)];
  return termsOf(word, language);
}

/** Whether the terms of `phrase` stand in `sequence` one after the other. */
export function holdsPhrase(sequence: readonly string[], phrase: readonly string[]): boolean {
  const last = sequence.length - phrase.length;
  for (let at = 0; at <= last; at++) if (phrase.every((term, i) => sequence[at + i] === term)) return true;
  return false;
}

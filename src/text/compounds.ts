import type { Concept, LexicalImage } from './lexical-image.js';

/** Languages that write compounds as one word. */
const COMPOUNDING = new Set(['da', 'de', 'fi', 'hu', 'nl', 'no', 'sv']);
/** Below this share of the passages, the language was probably a misdetection of short texts in another language. */
const MIN_SHARE = 0.02;
/** Shorter beginnings and ends are shared by many unrelated words. */
const MIN_END_CHARS = 5;
const MIN_START_CHARS = 6;
const MIN_PART_CHARS = 4;
const MIN_COMPOUND_CHARS = 9;
/** A word that stands in more passages finds enough without its compounds, which would only disturb their order. */
const MAX_PASSAGES = 20;
/** The weight of a compound or part; the typed word has 1. */
const WEIGHT = 0.3;
const MAX_WORDS = 16;
const MAX_COMPOUNDS = 100;
const WORD = /^\p{L}+$/u;
/** The linking elements between the parts in German and the Nordic languages. */
const LINKS = ['', 's', 'es', 'n', 'en', 'e', 'er'];

/**
 * Concepts that extend a query in a project with languages that write compounds: compounds that begin or end with a
 * rare word of the query, and the parts of rare compounds in the query. The project's own words are the dictionary.
 */
export function compoundsOf(concepts: readonly Concept[], unknown: readonly string[], image: LexicalImage): Concept[] {
  if (image.shareOf(COMPOUNDING) < MIN_SHARE) return [];
  const rare = concepts.filter(
    ({ terms }) => terms.reduce((sum, term) => sum + image.frequency(term), 0) <= MAX_PASSAGES,
  );
  const asked = [
    ...rare.map(({ terms, weight }) => ({ terms: terms.filter((term) => WORD.test(term)), weight })),
    ...unknown.filter((term) => WORD.test(term)).map((term) => ({ terms: [term], weight: 1 })),
  ].slice(0, MAX_WORDS);
  return [...holdingCompounds(asked, image), ...asked.flatMap((concept) => partsOf(concept, image))];
}

function holdingCompounds(asked: readonly Concept[], image: LexicalImage): Concept[] {
  const wanted = asked.map(({ terms, weight }) => ({
    terms: terms.filter((term) => term.length >= MIN_END_CHARS),
    weight: weight * WEIGHT,
    found: [] as string[],
  }));
  for (const word of image.longWords(MIN_COMPOUND_CHARS)) {
    for (const { terms, found } of wanted) {
      if (found.length < MAX_COMPOUNDS && terms.some((term) => isCompoundOf(word, term))) found.push(word);
    }
  }
  return wanted.filter(({ found }) => found.length > 0).map(({ found, weight }) => ({ terms: found, weight }));
}

function isCompoundOf(word: string, term: string): boolean {
  if (word.length < term.length + MIN_PART_CHARS - 1) return false;
  return word.endsWith(term) || (term.length >= MIN_START_CHARS && word.startsWith(term));
}

/**
 * The two words of the project that form a compound, if there are such. Of several splits the one with parts of the
 * most equal length is taken.
 */
function partsOf({ terms, weight }: Concept, image: LexicalImage): Concept[] {
  for (const term of terms) {
    if (term.length < MIN_COMPOUND_CHARS) continue;
    const middle = Math.floor(term.length / 2);
    for (let off = 0; middle - off >= MIN_PART_CHARS || middle + off <= term.length - MIN_PART_CHARS; off++) {
      for (const at of [middle - off, middle + off]) {
        const last = term.slice(at);
        const first = knownBeginning(term.slice(0, at), image);
        if (first === undefined || last.length < MIN_PART_CHARS || image.frequency(last) === 0) continue;
        return [first, last].map((part) => ({ terms: [part], weight: weight * WEIGHT }));
      }
    }
  }
  return [];
}

function knownBeginning(text: string, image: LexicalImage): string | undefined {
  for (const link of LINKS) {
    const word = text.endsWith(link) ? text.slice(0, text.length - link.length) : '';
    if (word.length >= MIN_PART_CHARS && image.frequency(word) > 0) return word;
  }
  return undefined;
}

import { terms } from './analysis.js';
import { sentences } from './sentences.js';

const MAX_SENTENCES = 2;
const MAX_CHARS = 400;
/** A heading or a row of a table says little by itself: it is quoted only where no sentence matches. */
const NO_SENTENCE = /^\s*(#{1,6}\s|\||```)|\s\|\s/;

/**
 * The sentences of a passage that share most with the query, in their order, word for word; none when no term is shared.
 * A rare term counts for more: `weightOf` says how much, 1 each when it is not given.
 */
export function highlights(
  text: string,
  queryTerms: readonly string[],
  weightOf: (term: string) => number = () => 1,
): string[] {
  const wanted = new Set(queryTerms);
  const matching = sentences(text)
    .map(({ start, end }) => ({ start, end, weight: weightOfSentence(text.slice(start, end), wanted, weightOf) }))
    .filter(({ weight }) => weight > 0);
  const proper = matching.filter(({ start, end }) => !NO_SENTENCE.test(text.slice(start, end)));
  return (proper.length > 0 ? proper : matching)
    .sort((a, b) => b.weight - a.weight || a.start - b.start)
    .slice(0, MAX_SENTENCES)
    .sort((a, b) => a.start - b.start)
    .map(({ start, end }) => text.slice(start, shortened(text, start, end)));
}

function weightOfSentence(sentence: string, wanted: ReadonlySet<string>, weightOf: (term: string) => number): number {
  let weight = 0;
  for (const term of new Set(terms(sentence))) if (wanted.has(term)) weight += weightOf(term);
  return weight;
}

/** Cuts a very long sentence at a blank. */
function shortened(text: string, start: number, end: number): number {
  if (end - start <= MAX_CHARS) return end;
  const blank = text.lastIndexOf(' ', start + MAX_CHARS);
  return blank > start ? blank : start + MAX_CHARS;
}

import { analyse } from './analysis.js';
import type { Language } from './language.js';
import type { Concept } from './lexical-image.js';
import { linesOf } from './lines.js';
import { isProse, layoutOf } from './media-type.js';
import { sentences } from './sentences.js';

const MAX_SENTENCES = 2;
const MAX_CHARS = 400;
/**
 * Headings and table rows carry little information alone. A sentence is preferred if it scores at least this share of
 * the best.
 */
const ENOUGH = 0.75;
/** A second sentence is quoted if it scores at least this share of the best. */
const BESIDE = 0.5;
const NO_SENTENCE = /^\s*(#{1,6}\s|\||```)|\s\|\s/;

/**
 * The sentences of a passage that match the query best, verbatim and in their order; none where nothing matches.
 * `weight` is the weight of a concept: rare concepts weigh more.
 */
export function highlights(
  { document, text }: { document: string; text: string },
  concepts: readonly Concept[],
  language: Language,
): string[] {
  const weights = new Map(concepts.flatMap((concept) => concept.terms.map((term) => [term, concept] as const)));
  const parts = isProse(layoutOf(document, '')) ? sentences(text) : [...linesOf(text)];
  const matching = parts
    .map(({ start, end }) => ({ start, end, weight: weightOfSentence(text.slice(start, end), weights, language) }))
    .filter(({ weight }) => weight > 0);
  const best = Math.max(0, ...matching.map(({ weight }) => weight));
  const proper = matching.filter(({ start, end }) => !NO_SENTENCE.test(text.slice(start, end)));
  return (proper.some(({ weight }) => weight >= ENOUGH * best) ? proper : matching)
    .filter(({ weight }) => weight >= BESIDE * best)
    .sort((a, b) => b.weight - a.weight || a.start - b.start)
    .slice(0, MAX_SENTENCES)
    .sort((a, b) => a.start - b.start)
    .map(({ start, end }) => text.slice(start, shortened(text, start, end)));
}

function weightOfSentence(sentence: string, weights: ReadonlyMap<string, Concept>, language: Language): number {
  const { terms, extras } = analyse(sentence, language);
  const matched = new Set<Concept>();
  for (const term of [...terms, ...extras]) {
    const concept = weights.get(term);
    if (concept !== undefined) matched.add(concept);
  }
  return [...matched].reduce((sum, { weight }) => sum + weight, 0);
}

/** Cuts a very long sentence at a space. */
function shortened(text: string, start: number, end: number): number {
  if (end - start <= MAX_CHARS) return end;
  const blank = text.lastIndexOf(' ', start + MAX_CHARS);
  return blank > start ? blank : start + MAX_CHARS;
}

import type { Concept, LexicalImage } from './lexical-image.js';
import { STOP_WORDS } from './stop-words.js';

/**
 * Pseudo-relevance feedback: the query is widened by the words that set its best passages apart, which finds what is said
 * in other words. Relevance model 3 (Abdul-Jaleel et al., "UMass at TREC 2004"): a passage speaks with its share of the
 * score, a term with its share of the passage, and asked and found words each make up half. Terms are moreover weighted
 * by their rarity, since BM25 leaves common ones in.
 */
export interface Expansion {
  passages: number;
  terms: number;
  /** The share of the words that were asked. */
  asked: number;
}

/** The values that Lin et al. ship with Anserini, save that they take 10 terms. */
export const EXPANSION: Expansion = { passages: 10, terms: 20, asked: 0.5 };

/** `best` are the terms of the best passages with their scores, best first. */
export function expanded(
  image: LexicalImage,
  asked: readonly Concept[],
  best: readonly { terms: readonly string[]; score: number }[],
  expansion = EXPANSION,
): Concept[] {
  const found = new Map<string, number>();
  const scores = best.reduce((sum, { score }) => sum + score, 0);
  for (const { terms, score } of best) {
    const share = score / scores / terms.length;
    for (const term of terms) if (!STOP_WORDS.has(term)) found.set(term, (found.get(term) ?? 0) + share);
  }
  const rare = [...found]
    .map(([term, weight]): [string, number] => [term, weight * image.idf(term)])
    .sort((a, b) => b[1] - a[1])
    .slice(0, expansion.terms);
  const concepts = scaled(asked, expansion.asked);
  const byTerm = new Map(concepts.flatMap((concept) => concept.terms.map((term) => [term, concept] as const)));
  const further = rare.map(([term, weight]) => ({ terms: [term], weight }));
  for (const concept of scaled(further, 1 - expansion.asked)) {
    const known = byTerm.get(concept.terms[0] as string);
    if (known === undefined) concepts.push(concept);
    else known.weight += concept.weight;
  }
  return concepts;
}

/** The concepts with their weights brought to the sum `total`. */
function scaled(concepts: readonly Concept[], total: number): Concept[] {
  const sum = concepts.reduce((sum, { weight }) => sum + weight, 0);
  return concepts.map(({ terms, weight }) => ({ terms, weight: (total * weight) / sum }));
}

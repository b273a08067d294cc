import type { Concept, LexicalImage } from './lexical-image.js';
import { STOP_WORDS } from './stop-words.js';

/**
 * Pseudo-relevance feedback: adds the words that distinguish the best passages to the query, which finds passages that
 * use other words for the same thing. Relevance model 3 (Abdul-Jaleel et al., "UMass at TREC 2004"): a passage is
 * weighted by its share of the score, a term by its share of the passage, and the query's words and the added words
 * each make up half. Terms are also weighted by their rarity, because BM25 keeps common ones.
 */
export interface Expansion {
  passages: number;
  terms: number;
  /** The share of the query's own words in the weight. */
  asked: number;
}

/** The values that Lin et al. ship with Anserini, except that they take 10 terms. */
export const EXPANSION: Expansion = { passages: 10, terms: 20, asked: 0.5 };

/** The expanded query. `best` holds the terms of the best passages with their scores, best first. */
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

/** The concepts with their weights scaled to the sum `total`. */
function scaled(concepts: readonly Concept[], total: number): Concept[] {
  const sum = concepts.reduce((sum, { weight }) => sum + weight, 0);
  return concepts.map(({ terms, weight }) => ({ terms, weight: (total * weight) / sum }));
}

import type { LexicalImage } from './lexical-image.js';

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
  asked: ReadonlyMap<string, number>,
  best: readonly { terms: readonly string[]; score: number }[],
  expansion = EXPANSION,
): Map<string, number> {
  const found = new Map<string, number>();
  const scores = best.reduce((sum, { score }) => sum + score, 0);
  for (const { terms, score } of best) {
    const share = score / scores / terms.length;
    for (const term of terms) found.set(term, (found.get(term) ?? 0) + share);
  }
  const rare = [...found]
    .map(([term, weight]): [string, number] => [term, weight * image.idf(term)])
    .sort((a, b) => b[1] - a[1])
    .slice(0, expansion.terms);
  const weights = new Map<string, number>();
  add(weights, asked, expansion.asked);
  add(weights, rare, 1 - expansion.asked);
  return weights;
}

/** Adds weights brought to the sum `total`. */
function add(weights: Map<string, number>, from: Iterable<[string, number]>, total: number): void {
  const entries = [...from];
  const sum = entries.reduce((sum, [, weight]) => sum + weight, 0);
  for (const [term, weight] of entries) weights.set(term, (weights.get(term) ?? 0) + (total * weight) / sum);
}

import type { Ranked } from '../../../../text/lexical-image.js';
import { flatness, weightedSum } from '../../../../text/lexical-search.js';

/** One list by words and one by meaning, each best first, and how far the second can be trusted. */
export interface Lists {
  words: readonly Ranked[];
  meaning: readonly Ranked[];
  /** From 0 to 1: how much of the question the embedder takes in. */
  captured: number;
}

/** Chosen over eight collections together; between 11 and 30 every one of them stays within .01. See docs/retrieval.md. */
const TRUST = 22;
/** Meaning never counts for more than words. */
const MAX_WEIGHT = 1;

/**
 * One ranking from a sum of scores. Scores by words are divided by the best of them. Scores by meaning are stretched so that the
 * best is 1 and the last is 0, and weighted by {@link weightOfMeaning}. Where that is nothing, `wordsAlone` has the last word.
 */
export function fused(lists: Lists, wordsAlone: () => Ranked[]): Ranked[] {
  const weight = weightOfMeaning(lists);
  if (weight === 0) return wordsAlone();
  return weightedSum([
    { ranked: lists.words, weight: 1 },
    { ranked: stretched(lists.meaning), weight },
  ]);
}

/**
 * The built-in embedders place a text by its words, so that the direction of one with few words is less certain: the share of its
 * similarity that counts, 1/√2 for 20 different words and nearly all for many.
 */
export function certaintyOf(distinctTerms: number): number {
  return Math.sqrt(distinctTerms / (distinctTerms + 20));
}

function stretched(ranked: readonly Ranked[]): Ranked[] {
  const top = ranked[0]?.score ?? 0;
  const bottom = ranked.at(-1)?.score ?? 0;
  return ranked.map(({ id, score }) => ({ id, score: top > bottom ? (score - bottom) / (top - bottom) : 1 }));
}

/**
 * How much meaning counts beside words, from 0 to 1. A question that asks for one fact has a best passage that stands far out
 * from the next ones, and words find it; a question about a topic has many passages that are nearly as good, and meaning sorts
 * them better. A question that the embedder takes in badly is one that it knows little about.
 */
export function weightOfMeaning({ words, meaning, captured }: Lists): number {
  if (meaning.length === 0) return 0;
  if (words.length === 0) return MAX_WEIGHT;
  return Math.min(MAX_WEIGHT, TRUST * captured ** 2 * flatness(words, 10) * flatness(meaning, 50));
}

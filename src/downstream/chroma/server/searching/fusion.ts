import type { Ranked } from '../../../../text/lexical-image.js';
import { flatness, weightedSum } from '../../../../text/lexical-search.js';

/** One list by words and one by meaning, each best first, and how far the second can be trusted. */
export interface Lists {
  words: readonly Ranked[];
  meaning: readonly Ranked[];
  /** From 0 to 1: how much of the question the embedder takes in. */
  captured: number;
  /**
   * Of an embedder that learned its language elsewhere: how much of the question the project has words for, from 0 to 1. The
   * rest it alone can find. Undefined for one that learned from the project.
   */
  coverage?: number | undefined;
  /** How many passages the project has. */
  passages: number;
}

/** Chosen over eight collections together; between 11 and 30 all but one of them stay within .01. See docs/retrieval.md. */
const TRUST = 22;
/** Meaning as the built-in embedder knows it never counts for more than words. */
const MAX_WEIGHT = 1;

/**
 * One ranking from a sum of scores. Scores by words are divided by the best of them. Scores by meaning are stretched so that the
 * best is 1 and the last is 0, and weighted by {@link weightOfMeaning}. Where that is nothing, `wordsAlone` has the last word.
 */
export function fused(lists: Lists, wordsAlone: () => Ranked[]): Ranked[] {
  const weight = weightOfMeaning(lists);
  if (weight === 0) return wordsAlone();
  const { words, coverage = 1 } = lists;
  const known = new Set(words.map(({ id }) => id));
  const floor = NEAR * (lists.meaning[0]?.score ?? 0);
  const meaning = stretched(lists.meaning).filter((_, i) => (lists.meaning[i] as Ranked).score >= floor);
  const far = stretched(lists.meaning).filter(
    ({ id }, i) => known.has(id) && (lists.meaning[i] as Ranked).score < floor,
  );
  return weightedSum([
    { ranked: words, weight: coverage ** 2 },
    { ranked: [...meaning, ...far], weight },
  ]);
}

/** A passage without a word of the question must be this near to it, beside 1 for the nearest. */
const NEAR = 0.5;

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
 * How much meaning counts beside words, whose weight is 1 at most. A question that asks for one fact has a best passage that stands far out
 * from the next ones, and words find it; a question about a topic has many passages that are nearly as good, and meaning sorts
 * them better. A question that the embedder takes in badly is one that it knows little about.
 *
 * A model that learned elsewhere says nothing of how much it takes in. It is believed where it finds what words find, which a
 * bad one does not, and as far as the project has no words for the question.
 */
export function weightOfMeaning(lists: Lists): number {
  const { words, meaning, captured, coverage } = lists;
  if (meaning.length === 0) return 0;
  if (words.length === 0) return MAX_WEIGHT;
  if (coverage !== undefined) return Math.max(coverage < FEW_WORDS ? 1 - coverage ** 2 : 0, trustIn(lists));
  return Math.min(MAX_WEIGHT, TRUST * captured ** 2 * flatness(words, 10) * flatness(meaning, 50));
}

/** Where words cover less of a question than this, they cannot judge the model: the question may be in another language. */
const FEW_WORDS = 0.5;

/** Of a model that is believed. Chosen, as the next three, over collections in five languages with three models and with none. */
const PRETRAINED_WEIGHT = 1.2;
/** So many of the best passages by words are looked for in the list by meaning. */
const WITNESSES = 20;
/** With random vectors the agreement of 19 in 20 questions is below the first; with a good model that of most is above the second. */
const CHANCE = 0.1;
const BELIEVED = 0.3;

function trustIn(lists: Lists): number {
  const share = (agreement(lists) - CHANCE) / (BELIEVED - CHANCE);
  return PRETRAINED_WEIGHT * Math.max(0, Math.min(1, share));
}

/**
 * How near in meaning those passages are that are best by words, above what passages drawn at random are: 1 where they are the
 * nearest ones, 0 where words and meaning have nothing to do with each other.
 */
function agreement({ words, meaning, passages }: Lists): number {
  const near = stretched(meaning);
  const nearness = new Map(near.map(({ id, score }) => [id, score]));
  const best = words.slice(0, WITNESSES);
  const all = best.reduce((sum, { score }) => sum + score, 0);
  const mean = best.reduce((sum, { id, score }) => sum + score * (nearness.get(id) ?? 0), 0) / all;
  const random = near.reduce((sum, { score }) => sum + score, 0) / Math.max(passages, near.length);
  return random < 1 ? (mean - random) / (1 - random) : 1;
}

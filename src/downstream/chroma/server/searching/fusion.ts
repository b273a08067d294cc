import type { Ranked } from '../../../../text/lexical-image.js';
import { flatness, weightedSum } from '../../../../text/lexical-search.js';

/** One ranking by words and one by meaning, each best first, and how far the second can be trusted. */
export interface Lists {
  words: readonly Ranked[];
  meaning: readonly Ranked[];
  /** From 0 to 1: the share of the question that the vector represents. */
  captured: number;
  /**
   * For a pretrained embedder: the share of the question for which the project has words, from 0 to 1. Only the
   * embedder can find passages for the rest. Undefined for an embedder that was trained on the project.
   */
  coverage?: number | undefined;
  /** How many passages the project has. */
  passages: number;
}

/**
 * Chosen over eight collections together; with values between 11 and 30 all but one of them stay within .01. See
 * docs/retrieval.md.
 */
const TRUST = 22;
/** Meaning by the built-in embedder never weighs more than words. */
const MAX_WEIGHT = 1;

/**
 * Combines both rankings by a sum of scores. Scores by words are divided by the best of them. Scores by meaning are
 * scaled so that the best is 1 and the last is 0, and weighted by {@link weightOfMeaning}. Where that weight is 0, the
 * result is the ranking of `wordsAlone`.
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

/** The smallest similarity of a passage without a word of the question, as a share of the nearest one's. */
const NEAR = 0.5;

/**
 * The built-in embedders derive a vector from words, so that the vector of a text with few words is less certain.
 * Returns the share of its similarity that counts: 1/√2 for 20 different words and nearly 1 for many.
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
 * The weight of meaning relative to words, whose weight is 1 at most. For a question about a single fact, one passage
 * scores far above the next ones, and words find it. For a question about a topic, many passages score almost equally,
 * and meaning ranks them better. If the vector represents little of the question, the embedder knows little about it.
 *
 * A pretrained model does not report that share. It is trusted as far as it finds the passages that words find, which a
 * bad model does not, and as far as the project has no words for the question.
 */
export function weightOfMeaning(lists: Lists): number {
  const { words, meaning, captured, coverage } = lists;
  if (meaning.length === 0) return 0;
  if (words.length === 0) return MAX_WEIGHT;
  if (coverage !== undefined) return Math.max(coverage < FEW_WORDS ? 1 - coverage ** 2 : 0, trustIn(lists));
  return Math.min(MAX_WEIGHT, TRUST * captured ** 2 * flatness(words, 10) * flatness(meaning, 50));
}

/**
 * Where words cover less of a question than this, they cannot be used to judge the model: the question may be in
 * another language.
 */
const FEW_WORDS = 0.5;

/**
 * The weight of a trusted model. Chosen, like the next three constants, over collections in five languages with three
 * models and without one.
 */
const PRETRAINED_WEIGHT = 1.2;
/** How many of the best passages by words are looked up in the ranking by meaning. */
const WITNESSES = 20;
/**
 * With random vectors the agreement for 19 of 20 questions is below the first value; with a good model most questions
 * are above the second.
 */
const CHANCE = 0.1;
const BELIEVED = 0.3;

function trustIn(lists: Lists): number {
  const share = (agreement(lists) - CHANCE) / (BELIEVED - CHANCE);
  return PRETRAINED_WEIGHT * Math.max(0, Math.min(1, share));
}

/**
 * How near in meaning the best passages by words are, relative to randomly chosen passages: 1 where they are the
 * nearest ones, 0 where words and meaning are unrelated.
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

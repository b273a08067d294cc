import { EXPANSION, expanded } from './expansion.js';
import type { LexicalImage, Ranked } from './lexical-image.js';
import type { LexicalIndex, ProjectKey } from './lexical-index.js';
import { holdsPhrase, type Query } from './query.js';

export interface LexicalRanking {
  ranked: Ranked[];
  /** How many passages hold a word of the query. */
  total: number;
}

/** Of a longer query only the rarest words are looked up. */
const MAX_WORDS = 128;
/** Passages that are looked at for a phrase: the best of those that hold all of its words. */
const MAX_PHRASE_PASSAGES = 2000;
/** A name or number that stands in more passages than this does not single one out. */
const MAX_EXACT_PASSAGES = 3;

/**
 * The best `limit` passages of a project by BM25. Quoted phrases limit the answer to the passages that hold them, unless none
 * does and the query says more than its phrases.
 */
export async function rankByWords(
  index: LexicalIndex,
  key: ProjectKey,
  query: Query,
  limit: number,
): Promise<LexicalRanking> {
  const image = await index.image(key);
  const allowed = holdingPhrases(index, key, image, query);
  const words = asked(image, query);
  const { ranked, total } = image.rank(words, limit, allowed);
  return { ranked: exactFirst(image, words, withFeedback(index, key, image, words, ranked, allowed)), total };
}

/** The words of a query that the project knows, weighted by how often they were said. */
export function asked(image: LexicalImage, query: Query): Map<string, number> {
  const words = new Map<string, number>();
  for (const term of query.terms) if (image.idf(term) > 0) words.set(term, (words.get(term) ?? 0) + 1);
  if (words.size <= MAX_WORDS) return words;
  return new Map([...words].sort(([a], [b]) => image.idf(b) - image.idf(a)).slice(0, MAX_WORDS));
}

/**
 * The same passages, those first that hold the words which set the best of them apart (see {@link expanded}). Feedback counts
 * for as much as the query itself where ten passages are equally good, and for next to nothing where the best one stands out:
 * then it was a question for one fact, and words from elsewhere lead away from it.
 */
export function withFeedback(
  index: LexicalIndex,
  key: ProjectKey,
  image: LexicalImage,
  words: ReadonlyMap<string, number>,
  ranked: readonly Ranked[],
  allowed: ReadonlySet<number> | undefined,
): Ranked[] {
  const weight = flatness(ranked, EXPANSION.passages) ** 3;
  if (weight < MIN_FEEDBACK) return [...ranked];
  const best = ranked.slice(0, EXPANSION.passages);
  const terms = index.terms(
    key,
    best.map(({ id }) => id),
  );
  const widened = expanded(
    image,
    words,
    best.map(({ score }, i) => ({ terms: terms[i] as string[], score })),
  );
  const again = image.rank(widened, ranked.length, allowed).ranked;
  return weightedSum([
    { ranked, weight: 1 },
    { ranked: again, weight },
  ]);
}

const MIN_FEEDBACK = 0.05;

/** The score at a place as a share of the best: 1 where all are alike, near 0 where the best stands alone. */
export function flatness(ranked: readonly Ranked[], place: number): number {
  const best = ranked[0]?.score ?? 0;
  const there = ranked[Math.min(place, ranked.length) - 1]?.score ?? 0;
  return best > 0 ? Math.max(0, there / best) : 0;
}

/** One ranking out of several: the sum of the scores, each divided by the best of its ranking. */
export function weightedSum(rankings: readonly { ranked: readonly Ranked[]; weight: number }[]): Ranked[] {
  const scores = new Map<number, number>();
  for (const { ranked, weight } of rankings) {
    const best = ranked[0]?.score ?? 1;
    for (const { id, score } of ranked) scores.set(id, (scores.get(id) ?? 0) + (weight * score) / best);
  }
  return [...scores].map(([id, score]) => ({ id, score })).sort((a, b) => b.score - a.score || a.id - b.id);
}

/**
 * Puts first the passages that hold a number or identifier of the query, where it stands in so few passages that it singles
 * these out: whoever asks for error E1024 wants no plausible neighbour. More of such words come before fewer.
 */
export function exactFirst(
  image: LexicalImage,
  words: ReadonlyMap<string, number>,
  ranked: readonly Ranked[],
): Ranked[] {
  const held = new Map<number, number>();
  for (const word of words.keys()) {
    if (!isExact(word) || image.frequency(word) > MAX_EXACT_PASSAGES) continue;
    for (const id of image.holding([word])) held.set(id, (held.get(id) ?? 0) + 1);
  }
  if (held.size === 0) return [...ranked];
  const step = ranked[0]?.score ?? 0;
  return ranked
    .map(({ id, score }) => ({ id, score: score + step * (held.get(id) ?? 0) }))
    .sort((a, b) => b.score - a.score || a.id - b.id);
}

/** Two digits or more, alone or within a word. */
function isExact(term: string): boolean {
  return /\d\D*\d/.test(term);
}

/** The passages that hold the quoted phrases; undefined where these limit nothing. */
export function holdingPhrases(
  index: LexicalIndex,
  key: ProjectKey,
  image: LexicalImage,
  query: Query,
): ReadonlySet<number> | undefined {
  if (query.phrases.length === 0) return undefined;
  const words = query.phrases.flat();
  const holding = new Set(image.holding(words));
  const candidates = image
    .rank(new Map(words.map((word) => [word, 1])), MAX_PHRASE_PASSAGES, holding)
    .ranked.map(({ id }) => id);
  const sequences = index.terms(key, candidates);
  const allowed = new Set(
    candidates.filter((_, i) => query.phrases.every((phrase) => holdsPhrase(sequences[i] as string[], phrase))),
  );
  return allowed.size > 0 || query.isPhraseOnly ? allowed : undefined;
}

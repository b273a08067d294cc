import { EXPANSION, expanded } from './expansion.js';
import type { LexicalImage, Ranked } from './lexical-image.js';
import type { LexicalIndex, ProjectKey } from './lexical-index.js';
import { holdsPhrase, type Query } from './query.js';

export interface LexicalRanking {
  ranked: Ranked[];
  /** How many passages hold a word of the widened query. */
  total: number;
}

/** Passages that may hold a phrase and are looked at for it. */
const MAX_PHRASE_PASSAGES = 5000;

/**
 * The best `limit` passages of a project by BM25 over the widened query. Quoted phrases limit the answer to the passages
 * that hold them, unless none does and the query says more than its phrases.
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
  const first = image.rank(words, EXPANSION.passages, allowed);
  if (first.total === 0) return { ranked: [], total: 0 };
  const termsOfBest = index.terms(
    key,
    first.ranked.map(({ id }) => id),
  );
  const best = first.ranked.map(({ score }, i) => ({ terms: termsOfBest[i] as string[], score }));
  return image.rank(expanded(image, words, best), limit, allowed);
}

/** The words of a query that the project knows, weighted by how often they were said. */
export function asked(image: LexicalImage, query: Query): Map<string, number> {
  const words = new Map<string, number>();
  for (const term of query.terms) if (image.idf(term) > 0) words.set(term, (words.get(term) ?? 0) + 1);
  return words;
}

/** The passages that hold the quoted phrases; undefined where these limit nothing. */
export function holdingPhrases(
  index: LexicalIndex,
  key: ProjectKey,
  image: LexicalImage,
  query: Query,
): ReadonlySet<number> | undefined {
  if (query.phrases.length === 0) return undefined;
  const candidates = image.holding(query.phrases.flat()).slice(0, MAX_PHRASE_PASSAGES);
  const sequences = index.terms(key, candidates);
  const allowed = new Set(
    candidates.filter((_, i) => query.phrases.every((phrase) => holdsPhrase(sequences[i] as string[], phrase))),
  );
  return allowed.size > 0 || query.isPhraseOnly ? allowed : undefined;
}

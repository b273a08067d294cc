import { EXPANSION, expanded } from './expansion.js';
import { analyse } from './analysis.js';
import type { Concept, LexicalImage, Ranked } from './lexical-image.js';
import type { LexicalIndex, ProjectKey } from './lexical-index.js';
import { conceptsOf, holdsPhrase, type Query } from './query.js';

/** How many passages are searched for a phrase: the best of those that hold all of its words. */
const MAX_PHRASE_PASSAGES = 2000;
/** A name or number in more passages than this does not identify one. */
const MAX_EXACT_PASSAGES = 3;

/**
 * The best `limit` passages of a project by BM25. Quoted phrases restrict the result to the passages that hold them,
 * unless no passage does and the query has further words.
 */
export async function rankByWords(
  index: LexicalIndex,
  key: ProjectKey,
  query: Query,
  limit: number,
): Promise<Ranked[]> {
  const image = await index.image(key);
  const allowed = allowedPassages(index, key, image, query);
  const concepts = conceptsOf(query, image);
  if (query.words.length === 0 && query.scope !== undefined) return everyOne(allowed, limit);
  const { ranked } = image.rank(concepts, limit, allowed);
  return exactFirst(image, concepts, withFeedback(index, key, image, concepts, ranked, allowed));
}

/** All allowed passages, for a query that consists of filters only. */
export function everyOne(allowed: ReadonlySet<number> | undefined, limit: number): Ranked[] {
  return [...(allowed ?? [])].slice(0, limit).map((id) => ({ id, score: 1 }));
}

/** For each concept the term that most passages use, with the concept's weight. */
export function usualTerms(concepts: readonly Concept[], image: LexicalImage): string[] {
  return concepts.flatMap(({ terms, weight }) => {
    const usual = terms.toSorted((a, b) => image.frequency(b) - image.frequency(a))[0];
    return usual === undefined ? [] : Array.from({ length: weight }, () => usual);
  });
}

/**
 * Reorders the passages so that those come first that hold the words which distinguish the best ones (see
 * {@link expanded}). Feedback weighs as much as the query itself where ten passages are equally good, and almost
 * nothing where one passage is far better: such a query asks for a single fact, and added words would worsen the
 * ranking.
 */
export function withFeedback(
  index: LexicalIndex,
  key: ProjectKey,
  image: LexicalImage,
  concepts: readonly Concept[],
  ranked: readonly Ranked[],
  allowed: ReadonlySet<number> | undefined,
): Ranked[] {
  const weight = flatness(ranked, EXPANSION.passages) ** 2;
  if (weight < MIN_FEEDBACK) return [...ranked];
  const best = ranked.slice(0, EXPANSION.passages);
  const terms = index.terms(
    key,
    best.map(({ id }) => id),
  );
  const widened = expanded(
    image,
    concepts,
    best.map(({ score }, i) => ({ terms: terms[i] as string[], score })),
  );
  const again = image.rank(widened, ranked.length, allowed).ranked;
  return weightedSum([
    { ranked, weight: 1 },
    { ranked: again, weight },
  ]);
}

const MIN_FEEDBACK = 0.05;

/** The score at a place as a share of the best: 1 where all are equal, near 0 where one is far better than the rest. */
export function flatness(ranked: readonly Ranked[], place: number): number {
  const best = ranked[0]?.score ?? 0;
  const there = ranked[Math.min(place, ranked.length) - 1]?.score ?? 0;
  return best > 0 ? Math.max(0, there / best) : 0;
}

/** Combines several rankings: the sum of the scores, each divided by the best of its ranking. */
export function weightedSum(rankings: readonly { ranked: readonly Ranked[]; weight: number }[]): Ranked[] {
  const scores = new Map<number, number>();
  for (const { ranked, weight } of rankings) {
    const best = ranked[0]?.score ?? 1;
    for (const { id, score } of ranked) scores.set(id, (scores.get(id) ?? 0) + (weight * score) / best);
  }
  return [...scores].map(([id, score]) => ({ id, score })).sort((a, b) => b.score - a.score || a.id - b.id);
}

/**
 * Moves passages to the front that hold a number or identifier of the query, if it is rare enough to identify them: a
 * search for error E1024 must not return a similar error first. Passages with more such words come first.
 */
export function exactFirst(image: LexicalImage, concepts: readonly Concept[], ranked: readonly Ranked[]): Ranked[] {
  const held = new Map<number, number>();
  for (const { terms } of concepts) {
    const rare = terms.filter((term) => isExact(term) && image.frequency(term) <= MAX_EXACT_PASSAGES);
    for (const id of image.holding([rare])) held.set(id, (held.get(id) ?? 0) + 1);
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

/**
 * The passages that match the phrases, the scope and the excluded words of a query; undefined where nothing is
 * restricted.
 */
export function allowedPassages(
  index: LexicalIndex,
  key: ProjectKey,
  image: LexicalImage,
  query: Query,
): ReadonlySet<number> | undefined {
  let allowed = holdingPhrases(index, key, image, query);
  if (query.scope !== undefined) {
    const inScope = index.inScope(key, query.scope);
    allowed = allowed === undefined ? inScope : new Set([...allowed].filter((id) => inScope.has(id)));
  }
  if (query.excluded.length === 0) return allowed;
  const left = new Set(allowed ?? image.all());
  for (const { terms } of conceptsOf({ ...query, words: query.excluded }, image)) {
    for (const id of image.holding([terms])) left.delete(id);
  }
  return left.size > 0 ? left : allowed;
}

/** The passages that hold the quoted phrases; undefined where these restrict nothing. */
function holdingPhrases(
  index: LexicalIndex,
  key: ProjectKey,
  image: LexicalImage,
  query: Query,
): ReadonlySet<number> | undefined {
  if (query.phrases.length === 0) return undefined;
  const byLanguage = new Map(
    image.languages().map((language) => [language, query.phrases.map((phrase) => analyse(phrase, language).terms)]),
  );
  const holding = new Set(
    [...byLanguage.values()].flatMap((phrases) => image.holding(phrases.flat().map((term) => [term]))),
  );
  const words = [...new Set([...byLanguage.values()].flat(2))].map((term) => ({ terms: [term], weight: 1 }));
  const candidates = image.rank(words, MAX_PHRASE_PASSAGES, holding).ranked.map(({ id }) => id);
  const sequences = index.sequences(key, candidates);
  const allowed = new Set(
    candidates.filter((_, i) => {
      const { language, terms, titleTerms } = sequences[i] as (typeof sequences)[number];
      const phrases = byLanguage.get(language) ?? [];
      return phrases.every((phrase) => holdsPhrase(terms, phrase) || holdsPhrase(titleTerms, phrase));
    }),
  );
  return allowed.size > 0 || query.isPhraseOnly ? allowed : undefined;
}

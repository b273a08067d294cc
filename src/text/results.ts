import type { Correction, Explanation } from '../contract/passage.contract.js';
import type { Scope } from '../contract/scope.contract.js';
import { withoutDuplicates } from './duplicates.js';
import { correctionsOf, explanations, type Lists } from './explanation.js';
import { highlights } from './highlights.js';
import type { LexicalImage, Ranked } from './lexical-image.js';
import type { LexicalIndex, ProjectKey, StoredPassage } from './lexical-index.js';
import { rankByWords } from './lexical-search.js';
import { conceptsOf, parseQuery, type Query } from './query.js';

export interface Page {
  limit: number;
  offset: number;
}

export interface Result extends Omit<StoredPassage, 'id' | 'language'> {
  highlights: string[];
  score: number;
  explain?: Explanation;
}

export interface Found {
  results: Result[];
  /** How many passages can be reached by paging. */
  total: number;
  /** Absent where no word was corrected. */
  corrections?: Correction[];
}

export interface Asked {
  page: Page;
  /** Whether each result carries the reasons why it was found. */
  explain?: boolean | undefined;
  scope?: Scope | undefined;
}

/** The last position that paging and answers reach. */
export const MAX_RANKED = 1000;

/** Full-text search as the filesystem server answers it: the passages of a page, best first, and the total number. */
export async function searchByWords(
  index: LexicalIndex,
  key: ProjectKey,
  text: string,
  { page, scope, explain = false }: Asked,
): Promise<Found> {
  const query = parseQuery(text, scope);
  const ranked = await rankByWords(index, key, query, MAX_RANKED);
  const lists = explain ? { words: ranked, meaning: [] } : undefined;
  return presented(index, key, await index.image(key), query, ranked, page, lists);
}

/**
 * One page of a ranking without near-duplicates, with the matching sentences.
 * @param lists the rankings that were combined, if the results are to explain why they were found
 */
export function presented(
  index: LexicalIndex,
  key: ProjectKey,
  image: LexicalImage,
  query: Query,
  ranked: readonly Ranked[],
  { limit, offset }: Page,
  lists?: Lists,
): Found {
  const all = withoutDuplicates(ranked, image).slice(0, MAX_RANKED);
  const scores = new Map(all.slice(offset, offset + limit).map(({ id, score }) => [id, score]));
  const concepts = conceptsOf(query, image);
  const asked = concepts.map(({ terms }) => ({ terms, weight: image.idf(terms) }));
  const passages = index.passages(key, [...scores.keys()]);
  const corrections = correctionsOf(concepts, passages);
  const reasons = lists && explanations(index, key, passages, concepts, corrections, lists);
  const results = passages.map(({ id, language, ...passage }, i) => ({
    ...passage,
    highlights: highlights(passage, asked, language),
    score: scores.get(id) as number,
    ...(reasons && { explain: reasons[i] }),
  }));
  return { results, total: all.length, ...(corrections.length > 0 && { corrections }) };
}

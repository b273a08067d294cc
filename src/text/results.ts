import type { Scope } from '../contract/scope.contract.js';
import { withoutDuplicates } from './duplicates.js';
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
}

/** Nobody pages further than this, and neither does an answer. */
export const MAX_RANKED = 1000;

/** Full-text search as the filesystem server answers it: the passages of a page, best first, and how many there are in all. */
export async function searchByWords(
  index: LexicalIndex,
  key: ProjectKey,
  text: string,
  page: Page,
  scope?: Scope,
): Promise<{ results: Result[]; total: number }> {
  const query = parseQuery(text, scope);
  const ranked = await rankByWords(index, key, query, MAX_RANKED);
  return presented(index, key, await index.image(key), query, ranked, page);
}

/** The page of a ranking, near-duplicates left out, with the sentences that match. `total` is what can be paged through. */
export function presented(
  index: LexicalIndex,
  key: ProjectKey,
  image: LexicalImage,
  query: Query,
  ranked: readonly Ranked[],
  { limit, offset }: Page,
): { results: Result[]; total: number } {
  const all = withoutDuplicates(ranked, image).slice(0, MAX_RANKED);
  const scores = new Map(all.slice(offset, offset + limit).map(({ id, score }) => [id, score]));
  const asked = conceptsOf(query, image).map(({ terms }) => ({ terms, weight: image.idf(terms) }));
  const results = index.passages(key, [...scores.keys()]).map(({ id, language, ...passage }) => ({
    ...passage,
    highlights: highlights(passage, asked, language),
    score: scores.get(id) as number,
  }));
  return { results, total: all.length };
}

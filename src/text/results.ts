import { areNear } from './fingerprint.js';
import { highlights } from './highlights.js';
import type { LexicalImage, Ranked } from './lexical-image.js';
import type { LexicalIndex, ProjectKey, StoredPassage } from './lexical-index.js';
import { rankByWords } from './lexical-search.js';
import { conceptsOf, parseQuery, type Query } from './query.js';

export interface Page {
  limit: number;
  offset: number;
}

export interface Result extends Omit<StoredPassage, 'id' | 'fingerprint' | 'language'> {
  highlights: string[];
  score: number;
}

/** Nobody pages further than this, and neither does an answer. */
export const MAX_RANKED = 2000;
/** Passages that are ranked beyond the page, so that there is something to put in the place of folded ones. */
const SPARE = 20;

/** Full-text search as the filesystem server answers it: the passages of a page, best first, and how many match at all. */
export async function searchByWords(
  index: LexicalIndex,
  key: ProjectKey,
  text: string,
  page: Page,
): Promise<{ results: Result[]; total: number }> {
  const query = parseQuery(text);
  const limit = Math.min(MAX_RANKED, page.offset + page.limit + SPARE);
  const { ranked, total } = await rankByWords(index, key, query, limit);
  const image = await index.image(key);
  return { results: presented(index, key, image, query, ranked, page), total: Math.min(MAX_RANKED, total) };
}

/** The page of a ranking, near-duplicates folded into the best of them, with the sentences that match. */
export function presented(
  index: LexicalIndex,
  key: ProjectKey,
  image: LexicalImage,
  query: Query,
  ranked: readonly Ranked[],
  { limit, offset }: Page,
): Result[] {
  const kept: { passage: StoredPassage; score: number }[] = [];
  for (let at = 0; at < ranked.length && kept.length < offset + limit; at += limit) {
    const slice = new Map(ranked.slice(at, at + limit).map(({ id, score }) => [id, score]));
    for (const passage of index.passages(key, [...slice.keys()])) {
      const isNew = !kept.some((earlier) => areNear(earlier.passage.fingerprint, passage.fingerprint));
      if (isNew) kept.push({ passage, score: slice.get(passage.id) as number });
    }
  }
  const asked = conceptsOf(query, image).map(({ terms }) => ({ terms, weight: image.idf(terms) }));
  return kept
    .slice(offset, offset + limit)
    .map(({ passage: { id: _, fingerprint: __, language, ...passage }, score }) => ({
      ...passage,
      highlights: highlights(passage.text, asked, language),
      score,
    }));
}

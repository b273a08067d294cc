import { setImmediate as nextTurn } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import type { LexicalImage, Ranked } from '../../../../text/lexical-image.js';
import type { ProjectKey } from '../../../../text/lexical-index.js';
import { asked, exactFirst, holdingPhrases, withFeedback } from '../../../../text/lexical-search.js';
import { parseQuery, type Query } from '../../../../text/query.js';
import { MAX_RANKED, type Page, presented, type Result } from '../../../../text/results.js';
import { Embedders, LSA, PROJECTION } from '../embedding/embedders.js';
import { certaintyOf, fused } from './fusion.js';
import { PROJECTION_DIMENSIONS } from '../embedding/hashed-projection.js';
import { type Generation, IndexStore } from '../index/index.store.js';
import { Reranker } from './reranker.js';
import { VectorStore } from '../chromadb/vector.store.js';
import { VectorSync } from '../chromadb/vector-sync.js';
import { isZero } from '../index/vectors.js';

export interface Answer {
  results: Result[];
  total: number;
  source: 'hybrid' | 'vector';
  passages: number;
}

/** Each way of searching brings so many at least, that what both find has a chance to rise. */
const MIN_CANDIDATES = 300;
/** Ranked beyond the page, to take the place of near-duplicates. */
const SPARE = 20;
/** What is less similar has nothing in common: three standard deviations of the projection's error; opposite for the others. */
const MIN_SIMILARITY: Record<string, number> = { [PROJECTION]: 3 / Math.sqrt(PROJECTION_DIMENSIONS) };

/** Search by words and by vectors, fused. */
@Injectable()
export class SearchService {
  constructor(
    private readonly store: IndexStore,
    private readonly embedders: Embedders,
    private readonly vectors: VectorStore,
    private readonly sync: VectorSync,
    private readonly reranker: Reranker,
  ) {}

  async query(key: ProjectKey, text: string, mode: 'hybrid' | 'vector', page: Page): Promise<Answer> {
    this.vectors.check();
    const query = parseQuery(text);
    const image = await this.store.passages.image(key);
    const generation = this.store.current(key);
    if (generation === undefined) return { results: [], total: 0, source: mode, passages: 0 };
    const candidates = Math.min(MAX_RANKED, Math.max(MIN_CANDIDATES, page.offset + page.limit + SPARE));
    const direction = await this.directionOf(generation, query, image);
    const { ranked, total } = await (mode === 'vector'
      ? this.byVector(key, generation, direction, candidates)
      : this.byBoth(key, generation, query, direction, candidates));
    // A new generation took over, and the vectors of this one may have been gone already.
    if (this.store.current(key)?.id !== generation.id) return this.query(key, text, mode, page);
    const ordered = mode === 'vector' ? ranked : await this.reranker.rerank(key, query.text, ranked);
    const results = presented(this.store.passages, key, await this.store.passages.image(key), query, ordered, page);
    return { results, total: Math.min(MAX_RANKED, total), source: mode, passages: image.passages };
  }

  private async byVector(key: ProjectKey, generation: Generation, direction: Float32Array, candidates: number) {
    const ranked = await this.nearest(key, generation, direction, candidates, undefined);
    return { ranked, total: ranked.length };
  }

  private async byBoth(
    key: ProjectKey,
    generation: Generation,
    query: Query,
    direction: Float32Array,
    candidates: number,
  ): Promise<{ ranked: Ranked[]; total: number }> {
    const image = await this.store.passages.image(key);
    const allowed = holdingPhrases(this.store.passages, key, image, query);
    const words = asked(image, query);
    // ChromaDB searches while the words are ranked here: the request has left by the next turn.
    const [meaning, byWords] = await Promise.all([
      this.nearest(key, generation, direction, candidates, allowed),
      nextTurn().then(() => image.rank(words, candidates, allowed)),
    ]);
    const captured = this.embedders.captured(
      generation,
      query.terms.filter((term) => image.idf(term) > 0),
    );
    const ranked = fused({ words: byWords.ranked, meaning, captured }, () =>
      withFeedback(this.store.passages, key, image, words, byWords.ranked, allowed),
    );
    return { ranked: exactFirst(image, words, ranked), total: Math.max(byWords.total, ranked.length) };
  }

  /** The built-in embedders hear only words that the project knows: for others they could but guess. */
  private async directionOf(generation: Generation, query: Query, image: LexicalImage): Promise<Float32Array> {
    const terms = query.terms.filter((term) => image.idf(term) > 0);
    const [direction] = await this.embedders.embed(generation, [{ title: '', text: query.text, terms }]);
    return direction as Float32Array;
  }

  private async nearest(
    key: ProjectKey,
    generation: Generation,
    direction: Float32Array,
    limit: number,
    allowed: ReadonlySet<number> | undefined,
  ): Promise<Ranked[]> {
    if (isZero(direction)) return [];
    // Not waited for: until it is done, ChromaDB knows less than it will, and what it knows too much is left out below.
    this.sync.push(generation).catch(() => undefined);
    const neighbours = await this.vectors.nearest(generation.collection, direction, limit);
    const image = await this.store.passages.image(key);
    const floor = MIN_SIMILARITY[generation.embedder] ?? 0;
    const isBuiltIn = generation.embedder === LSA || generation.embedder === PROJECTION;
    const certainty = (id: number) => (isBuiltIn ? certaintyOf(image.distinctTerms(id)) : 1);
    return neighbours
      .filter(({ id, similarity }) => similarity > floor && image.has(id) && allowed?.has(id) !== false)
      .map(({ id, similarity }) => ({ id, score: similarity * certainty(id) }))
      .sort((a, b) => b.score - a.score || a.id - b.id);
  }
}

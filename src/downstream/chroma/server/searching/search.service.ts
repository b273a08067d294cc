import { setImmediate as nextTurn } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { EXPANSION, expanded } from '../../../../text/expansion.js';
import type { LexicalImage, Ranked } from '../../../../text/lexical-image.js';
import type { ProjectKey } from '../../../../text/lexical-index.js';
import { asked, holdingPhrases } from '../../../../text/lexical-search.js';
import { parseQuery, type Query } from '../../../../text/query.js';
import { MAX_RANKED, type Page, presented, type Result } from '../../../../text/results.js';
import { Embedders, PROJECTION } from '../embedding/embedders.js';
import { fused } from './fusion.js';
import { PROJECTION_DIMENSIONS } from '../embedding/hashed-projection.js';
import { type Generation, IndexStore } from '../index/index.store.js';
import { Reranker } from './reranker.js';
import { VectorStore } from '../chromadb/vector.store.js';
import { VectorSync } from '../chromadb/vector-sync.js';
import { isZero, normalised } from '../chromadb/vectors.js';

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
/** Rocchio's feedback in the space of the vectors: the question moves by half towards the best five. */
const FEEDBACK_PASSAGES = 5;
const FEEDBACK_SHARE = 0.5;
/** What is less similar has nothing in common: three standard deviations of the projection's error; opposite for the others. */
const MIN_SIMILARITY: Record<string, number> = { [PROJECTION]: 3 / Math.sqrt(PROJECTION_DIMENSIONS) };

/**
 * Search by words and by vectors, fused. Both are asked twice: what is best after the first round widens the question for the
 * second, in words and in direction.
 */
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
    const first = await this.store.passages.image(key);
    const allowed = holdingPhrases(this.store.passages, key, first, query);
    const words = asked(first, query);
    // In both rounds ChromaDB searches while the words are ranked here: the request has left by the next turn.
    const [nearby, byWords] = await Promise.all([
      this.nearest(key, generation, direction, candidates, allowed),
      nextTurn().then(() => first.rank(words, candidates, allowed).ranked),
    ]);
    const best = fused(byWords, nearby).slice(0, EXPANSION.passages);
    if (best.length === 0) return { ranked: [], total: 0 };

    const moved = this.movedTowards(generation, direction, best.slice(0, FEEDBACK_PASSAGES));
    const [nearer, { ranked, total }] = await Promise.all([
      this.nearest(key, generation, moved, candidates, allowed),
      nextTurn().then(() => first.rank(this.widened(key, first, words, best), candidates, allowed)),
    ]);
    const all = fused(ranked, nearer);
    return { ranked: all, total: Math.max(total, all.length) };
  }

  private widened(
    key: ProjectKey,
    image: LexicalImage,
    words: ReadonlyMap<string, number>,
    best: readonly Ranked[],
  ): Map<string, number> {
    const terms = this.store.passages.terms(
      key,
      best.map(({ id }) => id),
    );
    return expanded(
      image,
      words,
      best.map(({ score }, i) => ({ terms: terms[i] as string[], score })),
    );
  }

  /** The built-in embedders hear only words that the project knows: for others they could but guess. */
  private async directionOf(generation: Generation, query: Query, image: LexicalImage): Promise<Float32Array> {
    const terms = query.terms.filter((term) => image.idf(term) > 0);
    const [direction] = await this.embedders.embed(generation, [{ title: '', text: query.text, terms }]);
    return direction as Float32Array;
  }

  private movedTowards(generation: Generation, direction: Float32Array, best: readonly Ranked[]): Float32Array {
    const sum = new Float32Array(direction.length);
    for (const { vector } of this.store.vectors(
      generation,
      best.map(({ id }) => id),
    )) {
      for (let i = 0; i < sum.length; i++) sum[i]! += vector[i]!;
    }
    const mean = normalised(sum);
    return normalised(direction.map((value, i) => value + FEEDBACK_SHARE * mean[i]!));
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
    return neighbours
      .filter(({ id, similarity }) => similarity > floor && image.has(id) && allowed?.has(id) !== false)
      .map(({ id, similarity }) => ({ id, score: similarity }));
  }
}

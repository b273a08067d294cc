import { setImmediate as nextTurn } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import type { Lists, Near } from '../../../../text/explanation.js';
import type { LexicalImage, Ranked } from '../../../../text/lexical-image.js';
import type { ProjectKey } from '../../../../text/lexical-index.js';
import {
  allowedPassages,
  everyOne,
  exactFirst,
  rankByWords,
  usualTerms,
  withFeedback,
} from '../../../../text/lexical-search.js';
import { conceptsOf, coverageOf, parseQuery, type Query } from '../../../../text/query.js';
import { type Asked, type Found, MAX_RANKED, presented } from '../../../../text/results.js';
import { EmbeddingError } from '../embedding/embedder.js';
import { Embedders, PROJECTION } from '../embedding/embedders.js';
import { PretrainedModel } from '../embedding/pretrained-model.js';
import { certaintyOf, fused } from './fusion.js';
import { PROJECTION_DIMENSIONS } from '../embedding/hashed-projection.js';
import { type Generation, IndexStore } from '../index/index.store.js';
import { Reranker } from './reranker.js';
import { type Neighbour, VectorStore } from '../chromadb/vector.store.js';
import { VectorSync } from '../chromadb/vector-sync.js';
import { isZero } from '../index/vectors.js';

export interface Answer extends Found {
  source: 'hybrid' | 'vector' | 'fulltext';
  passages: number;
  /** Why the question was not embedded, where the answer is based on words only. */
  not_embedded?: EmbeddingError['reason'];
}

export interface Question extends Asked {
  /** The caller's deadline, on the scale of `performance.now()`. */
  deadlineMs: number;
}

/** A ranking, and the rankings that were combined. */
interface Ranking extends Pick<Answer, 'source' | 'not_embedded'> {
  ranked: readonly Ranked[];
  lists: Lists;
}

/** The number of nearest passages that ChromaDB returns. It is constant, so that consecutive pages are consistent. */
const CANDIDATES = 300;
/** Where filters leave no more passages than this, each of them is compared. */
const MAX_COMPARED = 2000;
/**
 * The smallest similarity that counts. For hashed projections: three standard deviations of their error; for the others
 * 0, below which vectors are opposite.
 */
const MIN_SIMILARITY: Record<string, number> = { [PROJECTION]: 3 / Math.sqrt(PROJECTION_DIMENSIONS) };

/** Search by words and by vectors, fused. */
@Injectable()
export class SearchService {
  constructor(
    private readonly store: IndexStore,
    private readonly embedders: Embedders,
    private readonly pretrained: PretrainedModel,
    private readonly vectors: VectorStore,
    private readonly sync: VectorSync,
    private readonly reranker: Reranker,
  ) {}

  async query(key: ProjectKey, text: string, mode: 'hybrid' | 'vector', asked: Question): Promise<Answer> {
    this.vectors.check();
    const query = parseQuery(text, asked.scope);
    const image = await this.store.passages.image(key);
    const generation = this.store.current(key);
    if (generation === undefined) return { results: [], total: 0, source: mode, passages: 0 };
    const direction = await this.directionOf(generation, query, image, asked.deadlineMs);
    const { ranked, lists, ...origin } = await (direction instanceof EmbeddingError
      ? this.byWords(key, query, direction)
      : mode === 'vector'
        ? this.byMeaning(key, generation, query, direction)
        : this.byBoth(key, generation, query, direction));
    // A new generation became current, and the vectors of the old one may have been deleted already.
    if (this.store.current(key)?.id !== generation.id) return this.query(key, text, mode, asked);
    const ordered = mode === 'vector' ? ranked : await this.reranker.rerank(key, query.text, ranked);
    const now = await this.store.passages.image(key);
    const reasons = asked.explain === true ? lists : undefined;
    const found = presented(this.store.passages, key, now, query, ordered, asked.page, reasons);
    return { ...found, ...origin, passages: image.passages };
  }

  private async byWords(key: ProjectKey, query: Query, { reason }: EmbeddingError): Promise<Ranking> {
    const ranked = await rankByWords(this.store.passages, key, query, MAX_RANKED);
    return { ranked, lists: { words: ranked, meaning: [] }, source: 'fulltext', not_embedded: reason };
  }

  private async byMeaning(
    key: ProjectKey,
    generation: Generation,
    query: Query,
    direction: Float32Array,
  ): Promise<Ranking> {
    const allowed = allowedPassages(this.store.passages, key, await this.store.passages.image(key), query);
    const meaning = await this.nearest(key, generation, direction, allowed);
    return { ranked: meaning, lists: { words: [], meaning }, source: 'vector' };
  }

  private async byBoth(
    key: ProjectKey,
    generation: Generation,
    query: Query,
    direction: Float32Array,
  ): Promise<Ranking> {
    const image = await this.store.passages.image(key);
    const allowed = allowedPassages(this.store.passages, key, image, query);
    if (query.words.length === 0 && query.scope !== undefined) {
      return { ranked: everyOne(allowed, MAX_RANKED), lists: { words: [], meaning: [] }, source: 'hybrid' };
    }
    const concepts = conceptsOf(query, image);
    // ChromaDB searches while the words are ranked here: the request has been sent by the next turn of the event loop.
    const [meaning, byWords] = await Promise.all([
      this.nearest(key, generation, direction, allowed),
      nextTurn().then(() => image.rank(concepts, MAX_RANKED, allowed)),
    ]);
    const lists = {
      words: byWords.ranked,
      meaning,
      captured: this.embedders.captured(generation, usualTerms(concepts, image)),
      coverage: this.embedders.isPretrained(generation) ? coverageOf(query, image) : undefined,
      passages: image.passages,
    };
    let words = byWords.ranked;
    const ranked = fused(lists, () => {
      words = withFeedback(this.store.passages, key, image, concepts, words, allowed);
      return words;
    });
    const source = 'hybrid' as const;
    return {
      ranked: exactFirst(image, concepts, ranked),
      lists: { words, meaning },
      source,
      ...this.missed(generation),
    };
  }

  /** A configured model that cannot be loaded is reported, although the built-in embedder replaces it. */
  private missed(generation: Generation): Pick<Ranking, 'not_embedded'> {
    const { fault } = this.pretrained;
    return fault === undefined || this.embedders.isPretrained(generation) ? {} : { not_embedded: fault };
  }

  /** The built-in embedders get only words that the project contains, because they know no others. */
  private async directionOf(
    generation: Generation,
    query: Query,
    image: LexicalImage,
    deadlineMs: number,
  ): Promise<Float32Array | EmbeddingError> {
    if (query.words.length === 0) return new Float32Array(0);
    const terms = usualTerms(conceptsOf(query, image), image);
    try {
      return await this.embedders.embedQuestion(generation, { title: '', text: query.text, terms }, deadlineMs);
    } catch (error) {
      if (error instanceof EmbeddingError) return error;
      throw error;
    }
  }

  private async nearest(
    key: ProjectKey,
    generation: Generation,
    direction: Float32Array,
    allowed: ReadonlySet<number> | undefined,
  ): Promise<Near[]> {
    if (isZero(direction)) return [];
    const neighbours =
      allowed !== undefined && allowed.size <= MAX_COMPARED
        ? this.compared(generation, direction, [...allowed])
        : await this.nearestOfAll(generation, direction);
    const image = await this.store.passages.image(key);
    const floor = MIN_SIMILARITY[generation.embedder] ?? 0;
    const certainty = (id: number) =>
      this.embedders.isPretrained(generation) ? 1 : certaintyOf(image.distinctTerms(id));
    return neighbours
      .filter(({ id, similarity }) => similarity > floor && image.has(id) && allowed?.has(id) !== false)
      .map(({ id, similarity }) => ({ id, similarity, score: similarity * certainty(id) }))
      .sort((a, b) => b.score - a.score || a.id - b.id);
  }

  /** The nearest that ChromaDB has, and those whose vectors it has not received yet. */
  private async nearestOfAll(generation: Generation, direction: Float32Array): Promise<Neighbour[]> {
    await this.sync.catchUp(generation);
    // Read first: what ChromaDB receives meanwhile is in both lists.
    const waiting = this.compared(generation, direction, this.sync.waiting(generation));
    const found = await this.vectors.nearest(generation.collection, direction, CANDIDATES);
    const known = new Set(found.map(({ id }) => id));
    return [...found, ...waiting.filter(({ id }) => !known.has(id))];
  }

  /** The nearest of a few passages. ChromaDB would have to return very many to include all of these. */
  private compared(generation: Generation, direction: Float32Array, ids: readonly number[]): Neighbour[] {
    return this.store
      .vectors(generation, ids)
      .map(({ id, vector }) => ({ id, similarity: vector.reduce((sum, value, i) => sum + value * direction[i]!, 0) }))
      .sort((a, b) => b.similarity - a.similarity)
      .slice(0, CANDIDATES);
  }
}

import { Injectable } from '@nestjs/common';
import { ANALYSIS_VERSION } from '../../../../text/analysed-document.js';
import { analyse } from '../../../../text/analysis.js';
import type { ProjectKey } from '../../../../text/lexical-index.js';
import type { Embeddable, Embedder } from './embedder.js';
import { embedProjected } from './hashed-projection.js';
import { type Embedded, type Generation, IndexStore } from '../index/index.store.js';
import { capturedByLsa, decodeLsa, embedLsa } from './lsa-model.js';
import { PretrainedModel } from './pretrained-model.js';

/** Made of terms, and so made anew when these are made in another way. */
const PROJECTION_NAME = 'hashed-projection';
export const PROJECTION = `${PROJECTION_NAME} ${ANALYSIS_VERSION}`;
export const LSA = `lsa ${ANALYSIS_VERSION}`;
const MAX_MODELS = 16;

/** The embedder that belongs to each generation. */
@Injectable()
export class Embedders {
  private readonly trained = new Map<number, Embedder>();

  constructor(
    private readonly pretrained: PretrainedModel,
    private readonly store: IndexStore,
  ) {}

  /** @throws EmbeddingError where a model gives no answer */
  async embed(generation: Generation, passages: readonly Embeddable[]): Promise<Float32Array[]> {
    return this.of(generation).embed(passages);
  }

  /** @throws EmbeddingError where a model gives no answer in a fraction of a second */
  async embedQuestion(generation: Generation, question: Embeddable, deadlineMs: number): Promise<Float32Array> {
    return this.of(generation).embedQuestion(question, deadlineMs);
  }

  /** How much of a question the embedder takes in, from 0 to 1: see {@link Embedder}. */
  captured(generation: Generation, terms: readonly string[]): number {
    return this.of(generation).captured(terms);
  }

  /** Whether an embedder learned its language elsewhere, and so knows words that the project does not have. */
  isPretrained({ embedder }: Generation): boolean {
    return this.pretrained.made(embedder);
  }

  async embedPassages(generation: Generation, key: ProjectKey, ids: readonly number[]): Promise<Embedded[]> {
    const passages = this.store.passages.passages(key, ids);
    const terms = this.store.passages.terms(
      key,
      passages.map(({ id }) => id),
    );
    const texts = passages.map(({ title, text }, i) => ({ title, text, terms: terms[i] as string[] }));
    const vectors = await this.embed(generation, texts);
    return passages.map(({ id }, i) => ({ id, vector: vectors[i] as Float32Array }));
  }

  /**
   * The vectors of texts outside of any project, by the embedder that is configured; without one by the words alone. The
   * trained embedder of a project is left out: it changes with the project, and its vectors of last week could not be
   * compared with those of today.
   * @throws EmbeddingError where a model gives no answer
   */
  async embedTexts(texts: readonly string[]): Promise<{ embedder: string; pretrained: boolean; vectors: number[][] }> {
    const { label } = this.pretrained;
    const embeddables = texts.map((text) => ({ title: '', text, terms: analyse(text, 'en').terms }));
    const vectors = await (label === undefined ? local(embedProjected) : this.pretrained.embedder).embed(embeddables);
    return {
      embedder: label ?? PROJECTION_NAME,
      pretrained: label !== undefined,
      vectors: vectors.map((vector) => [...vector]),
    };
  }

  private of(generation: Generation): Embedder {
    if (generation.embedder === PROJECTION) return local(embedProjected);
    if (generation.embedder === LSA) return this.lsaOf(generation);
    if (this.isPretrained(generation)) return this.pretrained.embedder;
    // Made by a model that is not configured any more: words alone answer until the project is embedded anew.
    return local(() => new Float32Array(0));
  }

  private lsaOf(generation: Generation): Embedder {
    let embedder = this.trained.get(generation.id);
    if (embedder === undefined) {
      const encoded = this.store.model(generation);
      if (encoded === undefined) return local(() => new Float32Array(0));
      const model = decodeLsa(encoded);
      embedder = local(
        (terms) => embedLsa(model, terms),
        (terms) => capturedByLsa(model, terms),
      );
    }
    this.trained.delete(generation.id);
    this.trained.set(generation.id, embedder);
    const [oldest] = this.trained.keys();
    if (this.trained.size > MAX_MODELS && oldest !== undefined) this.trained.delete(oldest);
    return embedder;
  }
}

/** Without `captured`, it knows nothing of meaning: it only compares words. */
function local(
  embed: (terms: readonly string[]) => Float32Array,
  captured: (terms: readonly string[]) => number = () => 0,
): Embedder {
  return {
    embed: (passages) => Promise.resolve(passages.map(({ terms }) => embed(terms))),
    embedQuestion: ({ terms }) => Promise.resolve(embed(terms)),
    captured,
  };
}

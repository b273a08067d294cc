import { Injectable } from '@nestjs/common';
import { ANALYSIS_VERSION } from '../../../../text/analysed-document.js';
import { analyse } from '../../../../text/analysis.js';
import type { ProjectKey } from '../../../../text/lexical-index.js';
import type { Embeddable, Embedder } from './embedder.js';
import { embedProjected } from './hashed-projection.js';
import { type Embedded, type Generation, IndexStore } from '../index/index.store.js';
import { capturedByLsa, decodeLsa, embedLsa } from './lsa-model.js';
import { PretrainedModel } from './pretrained-model.js';

/** The name depends on the version of the analysis, because a change of the terms requires new vectors. */
const PROJECTION_NAME = 'hashed-projection';
export const PROJECTION = `${PROJECTION_NAME} ${ANALYSIS_VERSION}`;
export const LSA = `lsa ${ANALYSIS_VERSION}`;
const MAX_MODELS = 16;

/** Returns the embedder that belongs to a generation. */
@Injectable()
export class Embedders {
  private readonly trained = new Map<number, Embedder>();

  constructor(
    private readonly pretrained: PretrainedModel,
    private readonly store: IndexStore,
  ) {}

  /** @throws EmbeddingError where a model does not answer */
  async embed(generation: Generation, passages: readonly Embeddable[]): Promise<Float32Array[]> {
    return this.of(generation).embed(passages);
  }

  /** @throws EmbeddingError where a model does not answer within a fraction of a second */
  async embedQuestion(generation: Generation, question: Embeddable, deadlineMs: number): Promise<Float32Array> {
    return this.of(generation).embedQuestion(question, deadlineMs);
  }

  /** The share of a question that the vector represents, from 0 to 1: see {@link Embedder}. */
  captured(generation: Generation, terms: readonly string[]): number {
    return this.of(generation).captured(terms);
  }

  /** Whether an embedder is pretrained, so that it knows words that the project does not contain. */
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
   * The vectors of texts outside of any project, by the configured embedder; without one based on words only. A
   * project's trained embedder is not used: it changes with the project, so its vectors of different weeks could not be
   * compared.
   * @throws EmbeddingError where a model does not answer
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
    // The generation's model is no longer configured: search uses words only until the project is embedded again.
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

/** Without `captured` it has no notion of meaning: it compares words only. */
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

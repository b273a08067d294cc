import {
  guarded,
  GuardError,
  isClosed,
  outboundBreaker,
  type OutboundBreaker,
} from '../../../../resilience/policy/guarded.js';
import { normalised } from '../index/vectors.js';
import { type Embeddable, type Embedder, EmbeddingError, TextRefused } from './embedder.js';
import type { Prefixes } from './model-family.js';
import type { TextModel } from './text-model.js';

/** Texts per call: few at first, more while the model is fast, fewer when it is too slow. */
const FIRST_BATCH = 4;
const MAX_BATCH = 16;
const QUICK_MS = 2000;
/** With a few cores a model takes a third of a second for a passage, and several seconds to load. */
const PASSAGES_TIMEOUT_MS = 20_000;
/** Models truncate longer texts; passages are rarely longer. */
const MAX_CHARS = 8000;
/** The part of a caller's time that is left for ranking by words, where the model uses all the rest. */
const RESERVE_MS = 100;

export interface Reading {
  prefixes: Prefixes;
  /** The longest wait of a question for its vector. */
  queryTimeoutMs: number;
  /** How long after a failed question the model is not tried again. */
  recoveryMs?: number;
}

/** A pretrained model, with limits for the cost of an outage, slow answers and faults. */
export class PretrainedEmbedder implements Embedder {
  /** The state for questions: after the first question without an answer, later ones do not wait. */
  private readonly breaker: OutboundBreaker;
  private probing = false;
  private batch = FIRST_BATCH;

  constructor(
    private readonly model: TextModel,
    private readonly reading: Reading,
  ) {
    this.breaker = outboundBreaker({ failures: 1, recoveryMs: reading.recoveryMs ?? 2000 });
  }

  async embed(passages: readonly Embeddable[]): Promise<Float32Array[]> {
    const { passage } = this.reading.prefixes;
    const texts = passages.map(({ title, text }) => cut(passage, title === '' ? text : `${title}\n\n${text}`));
    const vectors: Float32Array[] = [];
    while (vectors.length < texts.length) {
      vectors.push(...(await this.embedSome(texts.slice(vectors.length, vectors.length + this.batch))));
    }
    return vectors.map(normalised);
  }

  private async embedSome(texts: readonly string[]): Promise<Float32Array[]> {
    const startedAt = performance.now();
    const work = (signal: AbortSignal) => this.model.vectors(texts, { urgent: false, signal });
    try {
      const vectors = await guarded(work, { name: this.model.label, timeoutMs: PASSAGES_TIMEOUT_MS });
      if (performance.now() - startedAt < QUICK_MS) this.batch = Math.min(MAX_BATCH, 2 * this.batch);
      return vectors;
    } catch (error) {
      if (error instanceof GuardError) this.batch = Math.max(1, Math.floor(this.batch / 2));
      return this.fail(error);
    }
  }

  /** While the model is unavailable no question waits for it: a background call finds out whether it works again. */
  async embedQuestion({ text }: Embeddable, deadlineMs: number): Promise<Float32Array> {
    if (isClosed(this.breaker)) {
      return this.askQuestion(text, deadlineMs - RESERVE_MS).catch((error: unknown) => this.fail(error));
    }
    this.probe(text);
    throw new EmbeddingError('circuit_open', `${this.model.label} was not asked: it gave no answer a moment ago`);
  }

  /** A model that was trained on much text is assumed to know all words. */
  captured(): number {
    return 1;
  }

  private probe(text: string): void {
    if (this.probing) return;
    this.probing = true;
    this.askQuestion(text, Infinity)
      .catch(() => undefined)
      .finally(() => (this.probing = false));
  }

  private async askQuestion(text: string, deadlineMs: number): Promise<Float32Array> {
    const { prefixes, queryTimeoutMs } = this.reading;
    const input = [cut(prefixes.query, text)];
    const guard = { name: this.model.label, timeoutMs: queryTimeoutMs, deadlineMs, breaker: this.breaker };
    const work = (signal: AbortSignal) => this.model.vectors(input, { urgent: true, signal }).catch(refusalOr);
    const answer = await guarded(work, guard);
    if (answer instanceof TextRefused) throw answer;
    return normalised(answer[0] as Float32Array);
  }

  private fail(error: unknown): never {
    const known = error instanceof GuardError || error instanceof EmbeddingError;
    const message = error instanceof Error ? error.message : String(error);
    throw new EmbeddingError(
      known ? error.reason : 'fault',
      `${this.model.label} gave no answer that can be used: ${message}`,
    );
  }
}

function cut(prefix: string, text: string): string {
  return `${prefix}${text}`.slice(0, MAX_CHARS);
}

/** A refusal counts as an answer for the breaker. */
function refusalOr(error: unknown): TextRefused {
  if (error instanceof TextRefused) return error;
  throw error;
}

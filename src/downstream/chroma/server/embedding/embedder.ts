import type { DownstreamReason } from '../../../../contract/downstream-reason.js';

/** The content of a passage or a question, as input for an embedder. */
export interface Embeddable {
  title: string;
  text: string;
  /** The terms of the title and of the text. */
  terms: readonly string[];
}

/** Turns texts into vectors. Texts about the same subject have similar directions. */
export interface Embedder {
  /** Vectors of length 1, or all zero where the embedder knows no word of the text. @throws EmbeddingError */
  embed(passages: readonly Embeddable[]): Promise<Float32Array[]>;

  /** The vector of a question. @param deadlineMs on the scale of `performance.now()` @throws EmbeddingError */
  embedQuestion(question: Embeddable, deadlineMs: number): Promise<Float32Array>;

  /** The share of the meaning of a question with these terms that the vector represents, from 0 to 1. */
  captured(terms: readonly string[]): number;
}

/** A model returned no vectors. */
export class EmbeddingError extends Error {
  constructor(
    readonly reason: Exclude<DownstreamReason, 'rejected' | 'cancelled'>,
    message: string,
  ) {
    super(message);
    this.name = 'EmbeddingError';
  }
}

/** A working model refused a text. Other texts may still be accepted. */
export class TextRefused extends EmbeddingError {}

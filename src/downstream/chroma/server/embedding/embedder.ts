import type { DownstreamReason } from '../../../../contract/downstream-reason.js';

/** What a passage or a question is made of, for those who turn it into a direction. */
export interface Embeddable {
  title: string;
  text: string;
  /** Of the title and of the text. */
  terms: readonly string[];
}

/** Turns texts into directions: texts about the same thing point the same way. */
export interface Embedder {
  /** Vectors of length 1, or all zero where nothing is known of the text. @throws EmbeddingError */
  embed(passages: readonly Embeddable[]): Promise<Float32Array[]>;

  /**
   * The same of a question.
   * @param deadlineMs on the scale of `performance.now()`
   * @throws EmbeddingError
   */
  embedQuestion(question: Embeddable, deadlineMs: number): Promise<Float32Array>;

  /** How much of the meaning of a question with these terms it takes in, from 0 to 1. */
  captured(terms: readonly string[]): number;
}

/** A model gave no vectors. */
export class EmbeddingError extends Error {
  constructor(
    readonly reason: Exclude<DownstreamReason, 'rejected' | 'cancelled'>,
    message: string,
  ) {
    super(message);
    this.name = 'EmbeddingError';
  }
}

/** A model that works refused a text: this says nothing of the next one. */
export class TextRefused extends EmbeddingError {}

/** What a passage or a question is made of, for those who turn it into a direction. */
export interface Embeddable {
  title: string;
  text: string;
  /** Of the title and of the text. */
  terms: readonly string[];
}

/** Turns texts into directions: texts about the same thing point the same way. */
export interface Embedder {
  /** Vectors of length 1, or all zero where nothing is known of the text. */
  embed(texts: readonly Embeddable[]): Promise<Float32Array[]>;

  /** How much of the meaning of a question with these terms it takes in, from 0 to 1. */
  captured(terms: readonly string[]): number;
}

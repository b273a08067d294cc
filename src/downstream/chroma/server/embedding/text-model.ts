/** What a {@link TextModel} is told beside the texts. */
export interface TextCall {
  /** Somebody waits for the answer: it must not wait for calls in the background. */
  urgent: boolean;
  signal: AbortSignal;
}

/** A model that learned its language elsewhere, wherever it runs. */
export interface TextModel {
  /** As log and errors call it. */
  readonly label: string;

  /**
   * A vector for each text, of any length.
   * @throws EmbeddingError, {@link TextRefused} where a text is to blame
   */
  vectors(texts: readonly string[], call: TextCall): Promise<Float32Array[]>;

  end?(): Promise<void>;
}

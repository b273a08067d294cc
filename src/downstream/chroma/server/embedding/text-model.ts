/** Options of a {@link TextModel} call. */
export interface TextCall {
  /** Whether a caller is waiting for the answer: such a call must not wait for calls in the background. */
  urgent: boolean;
  signal: AbortSignal;
}

/** A pretrained model, wherever it runs. */
export interface TextModel {
  /** The name in log and errors. */
  readonly label: string;

  /**
   * A vector for each text, of any length.
   * @throws EmbeddingError, {@link TextRefused} where one of the texts is the cause
   */
  vectors(texts: readonly string[], call: TextCall): Promise<Float32Array[]>;

  end?(): Promise<void>;
}

/** Why a model ended its answer. */
export type FinishReason = 'stop' | 'length' | 'content_filter';

/** The events of a completion, independent of the endpoint's dialect. */
export type CompletionEvent =
  | { type: 'text'; text: string }
  /** The thinking of a model: progress, and not part of the answer. */
  | { type: 'reasoning'; text: string }
  /** All text so far was thinking, as its closing mark shows, which has arrived only now. The answer begins after it. */
  | { type: 'retraction' }
  /** A keep-alive comment, or an event without text. */
  | { type: 'progress' }
  | { type: 'usage'; promptTokens: number; completionTokens: number }
  | { type: 'finish'; reason: FinishReason };

/** How a model's text is read: what earlier answers of the model have shown. */
export interface ReadingStyle {
  /** Whether answers begin within a block of thinking, because the prompt template of the model opens it. */
  opensThinking: boolean;
}

/** An error that the model's endpoint reports inside its answer. */
export class CompletionError extends Error {
  /** @param status the HTTP status in it, if any; @param code its name, for instance `insufficient_quota` */
  constructor(
    message: string,
    readonly status?: number,
    readonly code?: string,
  ) {
    super(message);
    this.name = 'CompletionError';
  }
}

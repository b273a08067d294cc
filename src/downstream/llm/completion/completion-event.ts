/** Why a model ended its answer. */
export type FinishReason = 'stop' | 'length' | 'content_filter';

/** The events of a completion, independent of the endpoint's dialect. */
export type CompletionEvent =
  | { type: 'text'; text: string }
  /** The thinking of a model: progress, and not part of the answer. */
  | { type: 'reasoning'; text: string }
  /** A keep-alive comment, or an event without text. */
  | { type: 'progress' }
  | { type: 'usage'; promptTokens: number; completionTokens: number }
  | { type: 'finish'; reason: FinishReason };

/** An error that the model's endpoint reports inside its answer. `status`: the HTTP status in it, if any. */
export class CompletionError extends Error {
  constructor(
    message: string,
    readonly status: number | undefined,
  ) {
    super(message);
    this.name = 'CompletionError';
  }
}

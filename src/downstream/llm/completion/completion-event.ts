/** Why a model ended its answer. */
export type FinishReason = 'stop' | 'length' | 'content_filter';

/** What a model sends, in our words. */
export type CompletionEvent =
  | { type: 'text'; text: string }
  /** A thinking model's own notes: progress, and no part of the answer. */
  | { type: 'reasoning'; text: string }
  /** A sign of life: a keep-alive comment, or an event without text. */
  | { type: 'progress' }
  | { type: 'usage'; promptTokens: number; completionTokens: number }
  | { type: 'finish'; reason: FinishReason };

/** An error that the model's endpoint reports inside its answer. `status`: the HTTP status that it names, where it does. */
export class CompletionError extends Error {
  constructor(
    message: string,
    readonly status: number | undefined,
  ) {
    super(message);
    this.name = 'CompletionError';
  }
}

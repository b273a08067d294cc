import { z } from 'zod';
import { CompletionError } from './completion-event.js';

/** Content parts as Mistral and Anthropic-like proxies send them: `text`, and `thinking` with texts in it. */
const part = z.looseObject({
  type: z.string().optional(),
  text: z.string().nullish(),
  thinking: z.unknown().optional(),
});
const content = z.union([z.string(), z.array(z.union([part, z.string()]))]).nullish();
const message = z
  .looseObject({
    content,
    reasoning_content: z.string().nullish().catch(null),
    reasoning: z.string().nullish().catch(null),
    refusal: z.string().nullish().catch(null),
    tool_calls: z.array(z.unknown()).nullish().catch(null),
  })
  .nullish();

/**
 * The fields that are read of an event of an OpenAI-compatible `/chat/completions`. With `message` in place of `delta`
 * it is a whole `chat.completion`. All fields are optional, because endpoints omit fields, add fields and set fields to
 * null.
 */
export const chunkSchema = z.looseObject({
  object: z.string().nullish().catch(null),
  type: z.string().nullish().catch(null),
  message: z.unknown().optional(),
  choices: z
    .array(
      z.looseObject({
        index: z.number().nullish().catch(null),
        delta: message,
        message,
        finish_reason: z.string().nullish().catch(null),
        error: z.unknown().optional(),
      }),
    )
    .nullish(),
  usage: z
    .looseObject({ prompt_tokens: z.int().nonnegative(), completion_tokens: z.int().nonnegative() })
    .nullish()
    // A number that cannot be read must not lose the text: the tokens are estimated then.
    .catch(null),
  error: z.unknown().optional(),
});
export type Chunk = z.output<typeof chunkSchema>;
type Content = z.output<typeof content>;

/** The answer text of a message's content, and the thinking in it. */
export function textsOf(content: Content): { text: string; thinking: string } {
  if (content === null || content === undefined) return { text: '', thinking: '' };
  if (typeof content === 'string') return { text: content, thinking: '' };
  let text = '';
  let thinking = '';
  for (const piece of content) {
    if (typeof piece === 'string') text += piece;
    else if (piece.type === 'thinking' || piece.thinking !== undefined) thinking += thoughtsOf(piece.thinking);
    else text += piece.text ?? '';
  }
  return { text, thinking };
}

function thoughtsOf(thinking: unknown): string {
  if (typeof thinking === 'string') return thinking;
  if (!Array.isArray(thinking)) return '';
  return thinking
    .map((one: unknown) => (one as { text?: unknown } | null)?.text)
    .filter((text) => typeof text === 'string')
    .join('');
}

/** The error in an event, in the shapes of OpenAI, vLLM and Anthropic; undefined where there is none. */
export function errorOf(chunk: Chunk): CompletionError | undefined {
  const { error, object, type, choices } = chunk;
  const found = error ?? choices?.find((choice) => choice.error !== undefined && choice.error !== null)?.error;
  if (found !== undefined && found !== null) return completionError(found);
  return object === 'error' || type === 'error' ? completionError(chunk) : undefined;
}

/** Accepts an error object or its text. */
export function completionError(error: unknown): CompletionError {
  if (typeof error === 'string') return new CompletionError(error.slice(0, MAX_ERROR_CHARS), undefined);
  const { message, code, status } = (error ?? {}) as Record<string, unknown>;
  const text = typeof message === 'string' ? message : JSON.stringify(error);
  const named = [code, status].map(Number).find((number) => number >= 400 && number <= 599);
  return new CompletionError(text.slice(0, MAX_ERROR_CHARS), named);
}

const MAX_ERROR_CHARS = 500;

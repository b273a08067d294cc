import { z } from 'zod';
import { CompletionError } from './completion-event.js';

/**
 * Content parts as Mistral and Anthropic-like proxies send them: `text`, `refusal`, and `thinking` with texts in it. A
 * few endpoints send a single part without an array.
 */
const part = z.looseObject({
  type: z.string().optional(),
  text: z.string().nullish(),
  refusal: z.string().nullish(),
  thinking: z.unknown().optional(),
});
const content = z.union([z.string(), z.array(z.union([part, z.string()])), part.transform((one) => [one])]).nullish();
const message = z
  .looseObject({
    content,
    reasoning_content: z.string().nullish().catch(null),
    reasoning: z.string().nullish().catch(null),
    refusal: z.string().nullish().catch(null),
    tool_calls: z.array(z.unknown()).nullish().catch(null),
    function_call: z.unknown().optional(),
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
  detail: z.unknown().optional(),
  choices: z
    .array(
      z.looseObject({
        index: z.number().nullish().catch(null),
        delta: message,
        message,
        /** In place of both, from endpoints that answer as the older `/completions`. */
        text: z.string().nullish().catch(null),
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
export type Choice = NonNullable<Chunk['choices']>[number];
type Content = z.output<typeof content>;

/** The answer text of a message's content, the thinking in it, and a refusal. */
export function textsOf(content: Content): { text: string; thinking: string; refusal: string } {
  const found = { text: '', thinking: '', refusal: '' };
  if (content === null || content === undefined) return found;
  if (typeof content === 'string') return { ...found, text: content };
  for (const piece of content) {
    if (typeof piece === 'string') found.text += piece;
    else if (piece.type === 'thinking' || piece.thinking !== undefined) found.thinking += thoughtsOf(piece.thinking);
    else {
      found.text += piece.text ?? '';
      found.refusal += piece.refusal ?? '';
    }
  }
  return found;
}

function thoughtsOf(thinking: unknown): string {
  if (typeof thinking === 'string') return thinking;
  if (!Array.isArray(thinking)) return '';
  return thinking
    .map((one: unknown) => (one as { text?: unknown } | null)?.text)
    .filter((text) => typeof text === 'string')
    .join('');
}

/**
 * The error in an event; undefined where there is none. OpenAI and most others send it as `error`, vLLM and Anthropic
 * mark the event as an error, and servers built on FastAPI send a `detail` or a `message` without choices.
 */
export function errorOf(chunk: Chunk): CompletionError | undefined {
  const { error, object, type, choices, message, detail } = chunk;
  const found = [error, ...(choices ?? []).map((choice) => choice.error)].find(isTold);
  if (found !== undefined) return completionError(found);
  if (object === 'error' || type === 'error') return completionError(chunk);
  if (choices !== undefined) return undefined;
  return [message, detail].some((one) => typeof one === 'string') ? completionError(chunk) : undefined;
}

/** Some endpoints send an empty `error` with each event. */
const isTold = (error: unknown) =>
  (typeof error === 'string' && error !== '') ||
  (typeof error === 'object' && error !== null && Object.keys(error).length > 0);

/** Accepts an error object or its text. */
export function completionError(error: unknown): CompletionError {
  if (typeof error === 'string') return new CompletionError(error.slice(0, MAX_ERROR_CHARS));
  const { message, detail, code, type, status } = (error ?? {}) as Record<string, unknown>;
  const text = [message, detail].find((one) => typeof one === 'string') ?? JSON.stringify(error);
  const name = [code, type, status].find((one) => typeof one === 'string');
  const named = [code, status].map(Number).find((number) => number >= 400 && number <= 599);
  return new CompletionError(text.slice(0, MAX_ERROR_CHARS), named ?? STATUS_OF[name ?? ''], name);
}

/** The HTTP status that a name stands for, in an error without a number. */
const STATUS_OF: Readonly<Record<string, number>> = {
  context_length_exceeded: 400,
  invalid_request_error: 400,
  content_filter: 400,
  invalid_api_key: 401,
  authentication_error: 401,
  permission_error: 403,
  model_not_found: 404,
  not_found_error: 404,
  insufficient_quota: 429,
  rate_limit_error: 429,
  rate_limit_exceeded: 429,
};
const MAX_ERROR_CHARS = 500;

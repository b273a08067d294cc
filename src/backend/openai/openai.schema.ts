import { z } from 'zod';
import type { Sampling } from '../../downstream/llm/model-dialect.js';
import type { Config } from '../../config/config.schema.js';
import { scopeSchema } from '../../contract/scope.contract.js';
import { badRequest, Problem } from '../../http/problem.js';
import type { PriorMessage } from '../chat/prompt.js';
import { unsupported } from './model-name.js';

const part = z.looseObject({ type: z.string(), text: z.string().optional() }).meta({ title: 'TextPart' });
const content = z.union([z.string(), z.array(part)], { error: 'a text, or an array of parts, is needed' });
const stops = z.union([z.string(), z.array(z.string()).max(4)]);

/** The fields that are read. Unsupported fields are refused by {@link refuseUnsupported}. */
export const completionRequestSchema = z.looseObject({
  model: z.string().min(1).max(200),
  messages: z
    .array(
      z.looseObject({
        role: z.enum(['system', 'developer', 'user', 'assistant', 'tool', 'function']),
        content: content.nullish(),
      }),
    )
    .min(1)
    .max(1000),
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().nullish() }).nullish(),
  n: z.int().min(1).nullish(),
  temperature: z.number().min(0).max(2).nullish(),
  top_p: z.number().min(0).max(1).nullish(),
  seed: z.int().nullish(),
  presence_penalty: z.number().min(-2).max(2).nullish(),
  frequency_penalty: z.number().min(-2).max(2).nullish(),
  verbosity: z.string().max(20).nullish(),
  stop: stops.nullish(),
  max_tokens: z.int().min(1).nullish(),
  max_completion_tokens: z.int().min(1).nullish(),
  response_format: z.looseObject({ type: z.string() }).nullish(),
  reasoning_effort: z.string().max(20).nullish(),
  user: z.string().max(512).nullish(),
  /**
   * `conversation_id` in it names the conversation in which the turn is stored. Without it the conversation is found by
   * the messages.
   */
  metadata: z.record(z.string(), z.unknown()).nullish(),
  /** A field that Caudex adds: the documents to search. */
  scope: scopeSchema.optional(),
});
export type CompletionRequest = z.output<typeof completionRequestSchema>;
type Message = CompletionRequest['messages'][number];

export const modelSchema = z
  .object({
    id: z.string(),
    object: z.literal('model'),
    created: z.int(),
    owned_by: z.string(),
  })
  .meta({ title: 'Model' });

const usageSchema = z.object({ prompt_tokens: z.int(), completion_tokens: z.int(), total_tokens: z.int() });
const annotationSchema = z.object({
  type: z.literal('url_citation'),
  url_citation: z.object({ url: z.string(), title: z.string(), start_index: z.int(), end_index: z.int() }),
});
export const completionSchema = z.object({
  id: z.string(),
  object: z.literal('chat.completion'),
  created: z.int(),
  model: z.string(),
  choices: z.array(
    z.object({
      index: z.int(),
      message: z.object({
        role: z.literal('assistant'),
        content: z.string(),
        refusal: z.null(),
        annotations: z.array(annotationSchema),
      }),
      finish_reason: z.enum(['stop', 'length', 'content_filter']),
      logprobs: z.null(),
    }),
  ),
  usage: usageSchema,
  /** A field that Caudex adds: the fields of its own JSON answer except the text. */
  caudex: z.looseObject({}),
});

/** A field is refused only if it has an effect: an empty list or the default has none. */
const REFUSED: Record<string, (value: unknown) => boolean> = {
  tools: (value) => Array.isArray(value) && value.length > 0,
  functions: (value) => Array.isArray(value) && value.length > 0,
  tool_choice: (value) => value !== 'none' && value !== 'auto',
  function_call: (value) => value !== 'none' && value !== 'auto',
  n: (value) => value !== 1,
  logprobs: (value) => value !== false,
  modalities: (value) => JSON.stringify(value) !== '["text"]',
  audio: () => true,
  prediction: () => true,
  web_search_options: () => true,
  logit_bias: (value) => Object.keys(value as object).length > 0,
};

/** @throws Problem 400 `unsupported_parameter` with the first unsupported field */
export function refuseUnsupported(body: CompletionRequest): void {
  for (const [field, asksForIt] of Object.entries(REFUSED)) {
    const value = body[field];
    if (value !== undefined && value !== null && asksForIt(value)) {
      throw unsupported(field, `${field}: this cannot be honoured here; leave it out`);
    }
  }
  for (const [index, { role, content }] of body.messages.entries()) {
    const path = `messages.${index}`;
    if (role === 'tool' || role === 'function') {
      throw unsupported(
        `${path}.role`,
        `${path}.role: ${JSON.stringify(role)} messages are not taken, because no tools are`,
      );
    }
    const foreign = Array.isArray(content)
      ? content.find(({ type }) => type !== 'text' && type !== 'input_text')
      : undefined;
    if (foreign !== undefined) {
      const detail = `${path}.content: a part of type ${JSON.stringify(foreign.type)} is not taken; only "text" is`;
      throw unsupported(`${path}.content`, detail);
    }
  }
}

/** @throws Problem 413 */
export function requireShort(question: string, field: string, { chat }: Config): void {
  if (Buffer.byteLength(question) <= chat.max_message_bytes) return;
  throw new Problem({
    status: 413,
    code: 'message_too_large',
    detail: `${field}: ${chat.max_message_bytes} bytes at most are taken as a question`,
  });
}

/** The parameters that are passed on to the model. */
export function samplingOf(body: CompletionRequest): Sampling {
  return {
    temperature: body.temperature ?? undefined,
    top_p: body.top_p ?? undefined,
    seed: body.seed ?? undefined,
    presence_penalty: body.presence_penalty ?? undefined,
    frequency_penalty: body.frequency_penalty ?? undefined,
    verbosity: body.verbosity ?? undefined,
    stop: body.stop ?? undefined,
    response_format: body.response_format ?? undefined,
    max_tokens: body.max_completion_tokens ?? body.max_tokens ?? undefined,
    reasoning_effort: body.reasoning_effort ?? undefined,
  };
}

/** The text of a message, its parts joined. */
export function textOf({ content }: Message): string {
  if (content === null || content === undefined) return '';
  return typeof content === 'string' ? content : content.map(({ text }) => text ?? '').join('\n');
}

export interface Conversation {
  question: string;
  prior: PriorMessage[];
  /** The text of system and developer messages. */
  instructions: string | undefined;
  /** The given beginning of the answer: an assistant's message after the last question. */
  prefill: string | undefined;
}

/**
 * Splits messages into the last question and its context. Consecutive user messages are one question; nothing is left
 * out.
 * @throws Problem 400 where no user message has a text
 */
export function conversationOf(messages: readonly Message[], field = 'messages'): Conversation {
  const spoken = messages.filter(({ role }) => role === 'user' || role === 'assistant');
  const system = messages.filter(({ role }) => role === 'system' || role === 'developer').map(textOf);
  const last = spoken.findLastIndex((message) => message.role === 'user' && textOf(message).trim() !== '');
  if (last === -1) throw badRequest('invalid_request', `${field}: a message of the user with a text is needed`);
  let first = last;
  while (first > 0 && spoken[first - 1]?.role === 'user') first--;
  const joined = (from: number, to: number) =>
    spoken
      .slice(from, to)
      .map(textOf)
      .filter((text) => text !== '')
      .join('\n\n');
  const prefill = joined(last + 1, spoken.length);
  return {
    question: joined(first, last + 1),
    prior: spoken
      .slice(0, first)
      .map((message) => ({ role: message.role as PriorMessage['role'], text: textOf(message) })),
    instructions: system.join('\n\n') || undefined,
    prefill: prefill || undefined,
  };
}

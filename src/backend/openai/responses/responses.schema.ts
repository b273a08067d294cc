import { z } from 'zod';
import { scopeSchema } from '../../../contract/scope.contract.js';
import type { Sampling } from '../../../downstream/llm/model-dialect.js';
import { unsupported } from '../model-name.js';

const part = z.looseObject({ type: z.string(), text: z.string().optional() }).meta({ title: 'TextPart' });
/** A message has a role and may omit its type; other items have a type only. */
const item = z.looseObject({
  type: z.string().max(100).nullish(),
  id: z.string().max(500).nullish(),
  role: z.enum(['user', 'assistant', 'system', 'developer']).optional(),
  content: z.union([z.string(), z.array(part)]).nullish(),
});
export type InputItem = z.output<typeof item>;

const format = z.looseObject({
  type: z.enum(['text', 'json_object', 'json_schema']),
  name: z.string().optional(),
  schema: z.unknown().optional(),
  strict: z.boolean().nullish(),
});

/** The fields that are read. Unsupported fields are refused by {@link refuseUnsupported}. */
export const responsesRequestSchema = z.looseObject({
  model: z.string().min(1).max(200),
  input: z.union([z.string(), z.array(item).max(1000)], { error: 'a text, or an array of items, is needed' }),
  instructions: z.string().nullish(),
  previous_response_id: z.string().max(500).nullish(),
  conversation: z.union([z.string(), z.looseObject({ id: z.string() })]).nullish(),
  stream: z.boolean().nullish(),
  temperature: z.number().min(0).max(2).nullish(),
  top_p: z.number().min(0).max(1).nullish(),
  max_output_tokens: z.int().min(1).nullish(),
  text: z.looseObject({ format: format.nullish(), verbosity: z.string().max(20).nullish() }).nullish(),
  reasoning: z.looseObject({ effort: z.string().max(20).nullish() }).nullish(),
  user: z.string().max(512).nullish(),
  safety_identifier: z.string().max(512).nullish(),
  metadata: z.record(z.string(), z.unknown()).nullish(),
  /** A field that Caudex adds: the documents to search. */
  scope: scopeSchema.optional(),
});
export type ResponsesRequest = z.output<typeof responsesRequestSchema>;

const isFilled = (value: unknown) => Array.isArray(value) && value.length > 0;
const REFUSED: Record<string, (value: unknown) => boolean> = {
  tools: isFilled,
  tool_choice: (value) => value !== 'none' && value !== 'auto',
  background: (value) => value === true,
  prompt: () => true,
  top_logprobs: (value) => value !== 0,
};

/** @throws Problem 400 `unsupported_parameter` with the first unsupported field */
export function refuseUnsupported(body: ResponsesRequest): void {
  for (const [field, asksForIt] of Object.entries(REFUSED)) {
    const value = body[field];
    if (value === undefined || value === null || !asksForIt(value)) continue;
    throw unsupported(field, `${field}: this cannot be honoured here; leave it out`);
  }
}

/** The parameters that are passed on to the model. */
export function samplingOf({ temperature, top_p, max_output_tokens, text, reasoning }: ResponsesRequest): Sampling {
  return {
    temperature: temperature ?? undefined,
    top_p: top_p ?? undefined,
    max_tokens: max_output_tokens ?? undefined,
    reasoning_effort: reasoning?.effort ?? undefined,
    response_format: responseFormat(text?.format),
    verbosity: text?.verbosity ?? undefined,
  };
}

/** The name in chat completions. */
function responseFormat(wanted: z.output<typeof format> | null | undefined): unknown {
  if (wanted === null || wanted === undefined || wanted.type === 'text') return undefined;
  if (wanted.type === 'json_object') return { type: 'json_object' };
  const { name, schema, strict } = wanted;
  return { type: 'json_schema', json_schema: { name, schema, strict } };
}

const annotation = z
  .object({
    type: z.literal('url_citation'),
    url: z.string(),
    title: z.string(),
    start_index: z.int(),
    end_index: z.int(),
  })
  .meta({ title: 'UrlCitation' });
const outputItem = z
  .looseObject({
    type: z.enum(['message', 'reasoning']),
    id: z.string(),
    status: z.string(),
    content: z.array(
      z.looseObject({ type: z.string(), text: z.string(), annotations: z.array(annotation).optional() }),
    ),
  })
  .meta({ title: 'OutputItem' });

export const responseSchema = z
  .looseObject({
    id: z.string(),
    object: z.literal('response'),
    created_at: z.int(),
    status: z.enum(['in_progress', 'completed', 'incomplete', 'failed', 'cancelled']),
    error: z.object({ code: z.string(), message: z.string() }).nullable(),
    incomplete_details: z.object({ reason: z.enum(['max_output_tokens', 'content_filter']) }).nullable(),
    instructions: z.string().nullable(),
    model: z.string(),
    output: z.array(outputItem),
    previous_response_id: z.string().nullable(),
    conversation: z.object({ id: z.string() }),
    usage: z.looseObject({ input_tokens: z.int(), output_tokens: z.int(), total_tokens: z.int() }).nullable(),
    /** A field that Caudex adds: the fields of its own JSON answer except the text. */
    caudex: z.looseObject({}).optional(),
  })
  .meta({ title: 'Response' });
export type ResponseObject = z.output<typeof responseSchema>;
export type OutputItem = z.output<typeof outputItem>;

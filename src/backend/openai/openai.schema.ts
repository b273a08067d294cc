import { z } from 'zod';

const textPart = z.object({ type: z.literal('text'), text: z.string() });
const content = z.union([z.string(), z.array(textPart)], { error: 'text is needed; images and sound are not taken' });

/** What is read of a request; whatever else a client sends is for models, and models are configured here. */
export const completionRequestSchema = z.looseObject({
  model: z.string().min(1).max(200),
  messages: z
    .array(
      z.looseObject({
        role: z.enum(['system', 'developer', 'user', 'assistant', 'tool']),
        content: content.nullish(),
      }),
    )
    .min(1)
    .max(1000),
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().nullish() }).nullish(),
  n: z.literal(1, { error: 'one answer at a time' }).nullish(),
});
export type CompletionRequest = z.output<typeof completionRequestSchema>;

export const modelSchema = z.object({
  id: z.string(),
  object: z.literal('model'),
  created: z.int(),
  owned_by: z.string(),
});

const usageSchema = z.object({ prompt_tokens: z.int(), completion_tokens: z.int(), total_tokens: z.int() });
export const completionSchema = z.object({
  id: z.string(),
  object: z.literal('chat.completion'),
  created: z.int(),
  model: z.string(),
  choices: z.array(
    z.object({
      index: z.int(),
      message: z.object({ role: z.literal('assistant'), content: z.string(), refusal: z.null() }),
      finish_reason: z.enum(['stop', 'length']),
      logprobs: z.null(),
    }),
  ),
  usage: usageSchema,
  /** What Caudex adds: the fields of its own JSON answer beside the text. */
  caudex: z.looseObject({}),
});

/** The text of a message, its parts joined. */
export function textOf(message: CompletionRequest['messages'][number]): string {
  const { content } = message;
  if (content === null || content === undefined) return '';
  return typeof content === 'string' ? content : content.map(({ text }) => text).join('\n');
}

/** The last question, and the questions and answers before it. */
export function conversationOf(messages: CompletionRequest['messages']): {
  question: string;
  said: { question: string; answer: string }[];
} {
  const last = messages.findLastIndex(({ role }) => role === 'user');
  const said: { question: string; answer: string }[] = [];
  for (const message of messages.slice(0, Math.max(0, last))) {
    if (message.role === 'user') said.push({ question: textOf(message), answer: '' });
    const open = said.at(-1);
    if (message.role === 'assistant' && open !== undefined) open.answer += textOf(message);
  }
  const question = messages[last];
  return { question: question === undefined ? '' : textOf(question), said };
}

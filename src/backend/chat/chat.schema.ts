import { z } from 'zod';
import { scopeSchema } from '../../contract/scope.contract.js';
import { degradationSchema } from '../call/degradation.js';
import { idSchema } from '../edge/schemas.js';
import { uiMessageSchema } from './ui-message.js';

const message = z
  .string()
  .refine((text) => text.trim() !== '', 'a message needs at least one word')
  .refine((text) => text.isWellFormed() && !text.includes('\0'), 'this is not valid text');
const model = z.string().min(1).max(200);

export const chatBodySchema = z
  .strictObject({
    message: message.optional(),
    // Our answers contain null where there is no value, and clients may send it back.
    project_id: idSchema.nullish(),
    conversation_id: idSchema.nullish(),
    stream: z.boolean().default(false),
    scope: scopeSchema.optional(),
    /** One of `GET /v1/api/models`. It is called first; the others take over if it fails. */
    model: model.nullish(),
    /**
     * The message id of the turn that this question follows: a new branch begins after it. null: it follows no turn.
     */
    parent_id: idSchema.nullish(),
    /**
     * The message id of the turn that this one replaces: with a message the question is edited, without one the answer
     * is regenerated.
     */
    replaces: idSchema.nullish(),
    /** The fields that the AI SDK's `useChat` sends: the id of its conversation and all its messages. */
    id: idSchema.optional(),
    messages: z.array(uiMessageSchema).min(1).max(1000).optional(),
    trigger: z.string().max(100).optional(),
    messageId: z.string().max(200).optional(),
  })
  .refine(({ messages, message: text, replaces }) => (messages === undefined) !== (text === undefined && !replaces), {
    path: ['message'],
    error: 'a message is needed, or the messages of an AI SDK client, or replaces',
  })
  .refine(({ replaces, conversation_id }) => !replaces || Boolean(conversation_id), {
    path: ['replaces'],
    error: 'the conversation_id of the turn is needed with it',
  })
  .refine(({ replaces, parent_id }) => !replaces || parent_id === undefined, {
    path: ['parent_id'],
    error: 'the turn that is replaced says what it follows; leave out parent_id or replaces',
  })
  .refine(({ parent_id, conversation_id, id }) => !parent_id || Boolean(conversation_id ?? id), {
    path: ['parent_id'],
    error: 'the conversation_id of the turn is needed with it',
  });
export type ChatBody = z.output<typeof chatBodySchema>;

export const chatQuerySchema = z.strictObject({
  message,
  project_id: idSchema.optional(),
  conversation_id: idSchema.optional(),
  stream: z.stringbool().default(false),
  model: model.optional(),
  /** A JSON text: `{"paths":["garden/"]}`. */
  scope: z.string().max(10_000).transform(parsed).pipe(scopeSchema).optional(),
});

function parsed(text: string, context: z.RefinementCtx): unknown {
  try {
    return JSON.parse(text);
  } catch {
    context.addIssue({ code: 'custom', message: 'an object as JSON is needed, like {"paths":["garden/"]}' });
    return z.NEVER;
  }
}

const sourceSchema = z
  .object({
    document: z.string(),
    chunk: z.int(),
    title: z.string(),
    text: z.string(),
    page: z.int().optional(),
    score: z.number(),
  })
  .meta({ title: 'Source' });
export const answerSchema = z
  .object({
    response: z.string(),
    status: z.literal(200),
    conversation_id: z.string(),
    message_id: z.string(),
    sources: z.array(sourceSchema),
    source: z.enum(['hybrid', 'vector', 'fulltext', 'cache', 'none']),
    outcome: z.enum(['found', 'no_match', 'empty_project', 'unavailable', 'no_project']),
    model: z.string(),
    state: z.enum(['complete', 'partial', 'failed']),
    finish_reason: z.enum(['stop', 'length', 'content_filter', 'error', 'cancelled']),
    cached: z.boolean(),
    degraded: z.boolean(),
    degradation: degradationSchema,
    /** In how many seconds a model can be asked again, where all of them asked for a rest; also as `Retry-After`. */
    retry_after: z.int().optional(),
    saved: z.enum(['stored', 'queued']),
    usage: z.object({ prompt_tokens: z.int(), completion_tokens: z.int(), credits: z.int() }).meta({ title: 'Usage' }),
  })
  .meta({ title: 'ChatAnswer' });

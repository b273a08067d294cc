import { Body, Controller, Delete, Get, Headers, HttpCode, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiOperation, ApiProduces, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { InjectConfig } from '../../config/config.module.js';
import type { Config } from '../../config/config.schema.js';
import { badRequest, notFound, Problem } from '../../http/problem.js';
import { toProblem } from '../../http/problem.filter.js';
import { DownstreamError } from '../../resilience/policy/downstream-error.js';
import { ConversationsService } from '../conversations/conversations.service.js';
import { degradationSchema } from '../call/degradation.js';
import { type Claim, claimedId } from '../call/claim.js';
import { OpenStreams } from '../edge/limits/open-streams.js';
import { IdempotencyStore } from '../edge/idempotency/idempotency.store.js';
import { eventStreamTimes } from '../edge/event-stream.js';
import { Answers, answersWith, problemSchema } from '../edge/openapi.js';
import { scopeSchema } from '../../contract/scope.contract.js';
import { idSchema } from '../edge/schemas.js';
import { NeedsScope } from '../call/key-scopes.js';
import { Call, Deadline, type UserCall } from '../call/public-call.js';
import { Changes } from '../session/session.guard.js';
import { type ChatRequest, ChatService } from './chat.service.js';
import type { MessageStream } from './message-stream.js';
import { MessageStreams } from './message-streams.service.js';
import { conversationOf, uiMessageSchema } from './ui-message.js';
import { collectAnswer, recorded, sendEventStream, type WholeAnswer } from './message-reply.js';

const message = z
  .string()
  .refine((text) => text.trim() !== '', 'a message needs at least one word')
  .refine((text) => text.isWellFormed() && !text.includes('\0'), 'this is not valid text');
const ids = { project_id: idSchema.optional(), conversation_id: idSchema.optional() };
/** Our answers hold null where there is none, and may come back so. */
const nullableIds = { project_id: idSchema.nullish(), conversation_id: idSchema.nullish() };
const bodySchema = z
  .strictObject({
    message: message.optional(),
    ...nullableIds,
    stream: z.boolean().default(false),
    scope: scopeSchema.optional(),
    /** What `useChat` of the AI SDK sends: its conversation's id and all of its messages. */
    id: idSchema.optional(),
    messages: z.array(uiMessageSchema).min(1).max(1000).optional(),
    trigger: z.string().max(100).optional(),
    messageId: z.string().max(200).optional(),
  })
  .refine((body) => (body.message === undefined) !== (body.messages === undefined), {
    path: ['message'],
    error: 'a message is needed, or the messages of an AI SDK client',
  });
type ChatBody = z.output<typeof bodySchema>;
const querySchema = z.strictObject({ message, ...ids, stream: z.stringbool().default(false) });

const sourceSchema = z.object({
  document: z.string(),
  chunk: z.int(),
  title: z.string(),
  text: z.string(),
  page: z.int().optional(),
  score: z.number(),
});
const answerSchema = z.object({
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
  saved: z.enum(['stored', 'queued']),
  usage: z.object({ prompt_tokens: z.int(), completion_tokens: z.int(), credits: z.int() }),
});

function ownRequest({ message = '', project_id, conversation_id, scope }: Partial<ChatBody>): ChatRequest {
  return { message, scope, project_id: project_id ?? undefined, conversation_id: conversation_id ?? undefined };
}

/** The client keeps the conversation, and its disconnect means "stop". */
function uiRequest(body: ChatBody, messages: NonNullable<ChatBody['messages']>, { chat }: Config): ChatRequest {
  const { question, said, instructions } = conversationOf(messages);
  return {
    ...ownRequest({ ...body, message: question, conversation_id: body.conversation_id ?? body.id }),
    said,
    adopts: true,
    options: { instructions, sampling: {} },
    detachedMs: chat.client_detached_ms,
  };
}

/** AI SDK clients are refused with a sentence as plain text, all others with a problem. */
const ChatAnswers = (...problems: number[]) =>
  answersWith(
    { 'application/problem+json': problemSchema, 'text/plain; charset=utf-8': z.string() },
    200,
    answerSchema,
    problems,
  );

@ApiTags('chat')
@NeedsScope('chat')
@Controller('v1/api/chat')
export class ChatController {
  private readonly beginning = new Map<string, Promise<MessageStream>>();

  constructor(
    @InjectConfig() private readonly config: Config,
    private readonly chat: ChatService,
    private readonly conversations: ConversationsService,
    private readonly streams: MessageStreams,
    private readonly idempotency: IdempotencyStore,
    private readonly open: OpenStreams,
  ) {}

  @Post()
  @Deadline('chat_ms')
  @HttpCode(200)
  @ApiOperation({ summary: 'Ask a question; the answer comes as JSON, or as an AI SDK UI message stream' })
  @ApiProduces('application/json', 'text/event-stream')
  @ChatAnswers(402, 404, 413)
  async post(
    @Body({ schema: bodySchema }) body: ChatBody,
    @Headers('accept') accept: string | undefined,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @Call() call: UserCall,
  ) {
    const claim = await this.idempotency.claim(request, call.userId);
    const own = claim === undefined ? call : { ...call, claim };
    if (body.messages === undefined) return this.answer(ownRequest(body), body.stream, accept, reply, own);
    try {
      return await this.answer(uiRequest(body, body.messages, this.config), true, accept, reply, own);
    } catch (error) {
      // `useChat` shows the body of a refusal as it is.
      const { status, detail, retryAfter } = toProblem(error);
      if (status >= 500 && !(error instanceof DownstreamError)) throw error;
      if (retryAfter !== undefined) void reply.header('retry-after', String(retryAfter));
      await reply.status(status).type('text/plain; charset=utf-8').send(detail);
    }
  }

  @Get()
  @Changes()
  @Deadline('chat_ms')
  @ApiOperation({ summary: 'The same by address' })
  @ApiProduces('application/json', 'text/event-stream')
  @Answers(200, answerSchema, 402, 404, 413)
  get(
    @Query({ schema: querySchema }) query: z.output<typeof querySchema>,
    @Headers('accept') accept: string | undefined,
    @Res() reply: FastifyReply,
    @Call() call: UserCall,
  ) {
    return this.answer(ownRequest(query), query.stream, accept, reply, call);
  }

  @Get(':message_id/stream')
  @Deadline('chat_ms')
  @ApiOperation({
    summary:
      'Resume a stream after the event that Last-Event-ID names; by the id of a conversation, what is being written there (204: nothing)',
  })
  @ApiProduces('text/event-stream')
  @ApiResponse({ status: 204, description: 'Nothing is being written in this conversation.' })
  @Answers(200, null, 404)
  async resume(
    @Param('message_id', { schema: idSchema }) messageId: string,
    @Headers('last-event-id') lastEventId: string | undefined,
    @Res() reply: FastifyReply,
    @Call() call: UserCall,
  ) {
    const after = lastEventId === undefined ? 0 : Number(lastEventId);
    if (!Number.isInteger(after) || after < 0) {
      throw badRequest(
        'invalid_request',
        `last-event-id: ${JSON.stringify(lastEventId)} is not an id of an event of this stream`,
      );
    }
    const stream = await this.resumable(messageId, lastEventId, call);
    if (stream === null) return reply.status(204).send();
    this.open.enter(call.userId, reply);
    await sendEventStream(reply, stream, after, call.signal, eventStreamTimes(this.config));
  }

  @Delete(':message_id/stream')
  @HttpCode(204)
  @ApiOperation({ summary: 'Stop an answer; what there is of it stays in the conversation' })
  @Answers(204, null, 404)
  stop(@Param('message_id', { schema: idSchema }) messageId: string, @Call() call: UserCall): void {
    this.find(messageId, call).stop();
  }

  /** `useChat` resumes by its conversation's id, and takes 204 for "nothing is being written". */
  private async resumable(id: string, lastEventId: string | undefined, call: UserCall): Promise<MessageStream | null> {
    if (lastEventId !== undefined || this.streams.find(id, call.userId) !== undefined) return this.find(id, call);
    const writing = this.streams.writing(id, call.userId);
    if (writing !== undefined) return writing;
    return (await this.conversations.exists(id, call)) ? null : this.find(id, call);
  }

  private find(messageId: string, call: UserCall) {
    const stream = this.streams.find(messageId, call.userId);
    if (stream === undefined) {
      throw notFound(
        `message_id: there is no stream ${JSON.stringify(messageId)}; the answer of one that has ended is in its conversation.`,
      );
    }
    return stream;
  }

  /** The answer to a request whose key was there before is the first one's, whether it is still being written or not. */
  private async streamOf(request: ChatRequest, call: UserCall): Promise<MessageStream> {
    const { claim } = call;
    if (claim === undefined) return this.chat.begin(request, call);
    const id = claimedId(claim, 'message');
    const known = this.streams.find(id, call.userId) ?? this.beginning.get(id);
    if (known !== undefined) return known;
    if (claim.answer !== null) return recorded(call.userId, claim.answer.body as WholeAnswer);
    const beginning = this.begin(claim, request, call).finally(() => this.beginning.delete(id));
    this.beginning.set(id, beginning);
    return beginning;
  }

  private async begin(claim: Claim, request: ChatRequest, call: UserCall): Promise<MessageStream> {
    try {
      const stream = await this.chat.begin(request, call);
      void collectAnswer(stream, new AbortController().signal).then(
        (body) => body !== null && this.idempotency.complete(claim, { status: 200, body }),
        () => this.idempotency.release(claim),
      );
      return stream;
    } catch (error) {
      this.idempotency.release(claim);
      throw error;
    }
  }

  private async answer(
    request: ChatRequest,
    streamed: boolean,
    accept: string | undefined,
    reply: FastifyReply,
    call: UserCall,
  ): Promise<void> {
    const { max_message_bytes } = this.config.chat;
    const bytes = Buffer.byteLength(request.message);
    if (bytes > max_message_bytes) {
      throw new Problem({
        status: 413,
        code: 'message_too_large',
        detail: `message: ${bytes} bytes are too many; ${max_message_bytes} at most`,
      });
    }
    const stream = await this.streamOf(request, call);
    if (streamed || accept?.includes('text/event-stream')) {
      return sendEventStream(reply, stream, 0, call.signal, eventStreamTimes(this.config));
    }
    const answer = await collectAnswer(stream, call.signal);
    if (answer !== null) await reply.status(200).send({ response: answer.text, ...answer.summary });
  }
}

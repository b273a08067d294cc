import { Body, Controller, Delete, Get, Headers, HttpCode, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiOperation, ApiProduces, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { PinoLogger } from 'nestjs-pino';
import { z } from 'zod';
import { InjectConfig } from '../../config/config.module.js';
import type { Config } from '../../config/config.schema.js';
import { badRequest, notFound, Problem } from '../../http/problem.js';
import { ConversationsService } from '../conversations/conversations.service.js';
import { type Claim, claimedId } from '../call/claim.js';
import { OpenStreams } from '../edge/limits/open-streams.js';
import { Idempotency } from '../edge/idempotency/idempotency.service.js';
import { eventStreamTimes } from '../edge/event-stream.js';
import { Answers, answersWith, problemSchema, TakesHeader, TakesIdempotencyKey } from '../edge/openapi.js';
import { idSchema } from '../edge/schemas.js';
import { NeedsScope } from '../call/key-scopes.js';
import { Call, Deadline, type UserCall } from '../call/public-call.js';
import { Changes } from '../session/session.guard.js';
import { type ChatRequest, ChatService } from './chat.service.js';
import { MessageStream } from './message-stream.js';
import { answerSchema, type ChatBody, chatBodySchema, chatQuerySchema } from './chat.schema.js';
import type { ChatEvent } from './chat-events.js';
import { MessageStreams } from './message-streams.service.js';
import { conversationOf } from './ui-message.js';
import { collectAnswer, sendEventStream } from './message-reply.js';

function ownRequest({ project_id, conversation_id, ...body }: Partial<ChatBody>): ChatRequest {
  const { message, scope, model, parent_id, replaces } = body;
  const ids = { project_id: project_id ?? undefined, conversation_id: conversation_id ?? undefined };
  return { message, scope, model: model ?? undefined, parent_id, replaces: replaces ?? undefined, ...ids };
}

/** The client keeps the conversation; its disconnect stops the answer. */
function uiRequest(body: ChatBody, messages: NonNullable<ChatBody['messages']>, { chat }: Config): ChatRequest {
  const { question, prior, instructions, follows } = conversationOf(messages);
  const isAskedAgain = body.trigger === 'regenerate-message' || body.messageId !== undefined;
  return {
    ...ownRequest({ ...body, message: question, conversation_id: body.conversation_id ?? body.id }),
    prior,
    // A client that sends only its last message continues from the newest turn.
    parent_id: body.parent_id !== undefined ? body.parent_id : (follows ?? (isAskedAgain ? null : undefined)),
    adopts: true,
    options: { instructions, sampling: {} },
    detachedMs: chat.client_detached_ms,
  };
}

/** Errors for AI SDK clients are a sentence as plain text, for all others a problem. */
const ChatAnswers = (...problems: number[]) =>
  answersWith(
    { 'application/problem+json': problemSchema, 'text/plain; charset=utf-8': z.string() },
    200,
    answerSchema,
    problems,
  );

const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i;
const STREAM =
  'With `stream: true` or `Accept: text/event-stream` the answer is an event stream: each event has an `id` and a JSON object as `data` (`start`, `source-document`, `data-context`, `reasoning-…`, `text-start`, `text-delta`, `text-end`, `data-degraded`, `data-retraction`, `error`, `finish`); the last data is `[DONE]`.';

@ApiTags('chat')
@NeedsScope('chat')
@Controller('v1/api/chat')
export class ChatController {
  constructor(
    @InjectConfig() private readonly config: Config,
    private readonly chat: ChatService,
    private readonly conversations: ConversationsService,
    private readonly streams: MessageStreams,
    private readonly idempotency: Idempotency,
    private readonly open: OpenStreams,
    private readonly log: PinoLogger,
  ) {}

  @Post()
  @Deadline('chat_ms')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Ask a question; the answer comes as JSON, or as an AI SDK UI message stream',
    description: STREAM,
  })
  @ApiProduces('application/json', 'text/event-stream')
  @TakesIdempotencyKey()
  @ChatAnswers(402, 404, 410, 422, 507)
  async post(
    @Body({ schema: chatBodySchema }) body: ChatBody,
    @Headers('accept') accept: string | undefined,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @Call() call: UserCall,
  ) {
    const claim = await this.idempotency.claim(request, call.userId);
    const own = claim === undefined ? call : { ...call, claim };
    if (body.messages === undefined) return this.answer(ownRequest(body), body.stream, accept, reply, own);
    return this.answer(uiRequest(body, body.messages, this.config), true, accept, reply, own);
  }

  @Get()
  @Changes()
  @Deadline('chat_ms')
  @ApiOperation({ summary: 'The same by address' })
  @ApiProduces('application/json', 'text/event-stream')
  @Answers(200, answerSchema, 402, 404, 507)
  get(
    @Query({ schema: chatQuerySchema }) query: z.output<typeof chatQuerySchema>,
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
  @TakesHeader('Last-Event-ID', 'The id of the last event that arrived')
  @Answers(200, z.string(), 404)
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
    await this.open.enter(call.userId, reply);
    await sendEventStream(reply, stream, after, call.signal, eventStreamTimes(this.config));
  }

  @Delete(':message_id/stream')
  @HttpCode(204)
  @ApiOperation({ summary: 'Stop an answer; what there is of it stays in the conversation' })
  @Answers(204, null, 404)
  async stop(@Param('message_id', { schema: idSchema }) messageId: string, @Call() call: UserCall): Promise<void> {
    this.streams.stop(await this.find(messageId, call));
  }

  /** `useChat` resumes by the id of its conversation; 204 means that no answer is being written. */
  private async resumable(id: string, lastEventId: string | undefined, call: UserCall): Promise<MessageStream | null> {
    if (lastEventId !== undefined) return this.find(id, call);
    const found = await this.streams.find(id, call.userId);
    if (found !== undefined) return found;
    const writing = await this.streams.writing(id, call.userId);
    if (writing !== undefined) return writing;
    // Our own ids are UUIDs: any other is the id of a client's conversation, which may have no message yet.
    if (!UUID.test(id) || (await this.conversations.exists(id, call))) return null;
    return this.find(id, call);
  }

  private async find(messageId: string, call: UserCall): Promise<MessageStream> {
    const stream = await this.streams.find(messageId, call.userId);
    if (stream === undefined) {
      throw notFound(
        `message_id: there is no stream ${JSON.stringify(messageId)}; the answer of one that has ended is in its conversation.`,
      );
    }
    return stream;
  }

  /** A repeated idempotency key returns the answer of the first request, also while it is still being written. */
  private async streamOf(request: ChatRequest, call: UserCall): Promise<MessageStream> {
    const { claim } = call;
    if (claim === undefined) return this.chat.begin(request, call);
    const replay = ({ body }: NonNullable<Claim['answer']>) =>
      MessageStream.recorded(claimedId(claim, 'message'), call.userId, body as ChatEvent[]);
    if (claim.answer !== null) return replay(claim.answer);
    const work = async () => {
      const stream = await this.chat.begin(request, call);
      void stream.ended
        .then((events) => this.keep(claim, events))
        .catch((error: unknown) => this.log.error({ err: error }, 'An answer could not be kept'));
      return stream;
    };
    return this.idempotency.once(claim, call, { work, replay });
  }

  /** A question without an answer may be repeated with its key. */
  private async keep(claim: Claim, events: readonly ChatEvent[]): Promise<void> {
    const last = events.at(-1);
    if (last?.type !== 'finish' || last.messageMetadata.state === 'failed') await this.idempotency.release(claim);
    else await this.idempotency.complete(claim, { status: 200, body: events });
  }

  private async answer(
    request: ChatRequest,
    streamed: boolean,
    accept: string | undefined,
    reply: FastifyReply,
    call: UserCall,
  ): Promise<void> {
    const { max_message_bytes } = this.config.chat;
    const bytes = Buffer.byteLength(request.message ?? '');
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
    if (answer?.summary.retry_after !== undefined) void reply.header('retry-after', String(answer.summary.retry_after));
    if (answer !== null) await reply.status(200).send({ response: answer.text, ...answer.summary });
  }
}

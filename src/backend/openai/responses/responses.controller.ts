import { Body, Controller, Delete, Get, Headers, HttpCode, Param, Post, Res } from '@nestjs/common';
import { ApiOperation, ApiProduces, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { InjectConfig } from '../../../config/config.module.js';
import type { Config } from '../../../config/config.schema.js';
import { badRequest, Problem } from '../../../http/problem.js';
import { NeedsScope } from '../../call/key-scopes.js';
import { Call, Deadline, type UserCall } from '../../call/public-call.js';
import { type ChatRequest, ChatService } from '../../chat/chat.service.js';
import type { MessageStream } from '../../chat/message-stream.js';
import { ConversationsService } from '../../conversations/conversations.service.js';
import { EventStream, eventStreamTimes } from '../../edge/event-stream.js';
import { idSchema } from '../../edge/schemas.js';
import { ClientConversations } from '../client-conversations.service.js';
import { MODEL, projectOf } from '../model-name.js';
import { OpenAiAnswers } from '../openai-error.js';
import { type Conversation, requireShort } from '../openai.schema.js';
import { conversationIn } from './input-items.js';
import { idOf, parseId, type TurnId } from './response-id.js';
import { ResponseWriter } from './response-writer.js';
import {
  refuseUnsupported,
  responseSchema,
  type ResponsesRequest,
  responsesRequestSchema,
  samplingOf,
} from './responses.schema.js';
import { storedResponse } from './stored-response.js';

const deletedSchema = z.object({ id: z.string(), object: z.literal('response'), deleted: z.literal(true) });
const inputItemsSchema = z.looseObject({
  object: z.literal('list'),
  data: z.array(z.looseObject({ id: z.string(), type: z.literal('message'), role: z.string() })),
});

/** OpenAI's Responses API: a response is a turn of a conversation, and the next response continues from it. */
@ApiTags('openai')
@Controller('v1/responses')
export class ResponsesController {
  constructor(
    @InjectConfig() private readonly config: Config,
    private readonly chat: ChatService,
    private readonly conversations: ConversationsService,
    private readonly clientConversations: ClientConversations,
  ) {}

  @Post()
  @NeedsScope('chat')
  @Deadline('chat_ms')
  @HttpCode(200)
  @ApiOperation({ summary: 'A chat as an OpenAI response; sources stand in the field `caudex` and as annotations' })
  @ApiProduces('application/json', 'text/event-stream')
  @OpenAiAnswers(responseSchema, 402, 403, 404, 507)
  async create(
    @Body({ schema: responsesRequestSchema }) body: ResponsesRequest,
    @Headers('x-caudex-project') projectHeader: string | undefined,
    @Res() reply: FastifyReply,
    @Call() call: UserCall,
  ): Promise<void> {
    refuseUnsupported(body);
    const project = projectOf(body.model, projectHeader);
    const conversation = await conversationIn(body, (id) => this.answerOf(id, call));
    requireShort(conversation.question, 'input', this.config);
    const stream = await this.chat
      .begin(await this.requestOf(body, project, conversation, call), call)
      .catch((error: unknown) => failed(body, error));
    const writer = new ResponseWriter(body, {
      conversation_id: stream.about.conversationId ?? '',
      message_id: stream.messageId,
    });
    if (body.stream === true) return this.send(stream, writer, reply, call);
    for await (const { event } of stream.read(0, call.signal)) for (const _ of writer.events(event));
    if (stream.failure !== undefined) throw new Problem(stream.failure);
    for (const _ of writer.breakOff());
    if (!call.signal.aborted) await reply.status(200).send(writer.response);
  }

  @Get(':response_id')
  @ApiOperation({ summary: 'A response as it was' })
  @OpenAiAnswers(responseSchema, 403, 404)
  async get(@Param('response_id') id: string, @Call() call: UserCall) {
    const { turn, projectId, turnId } = await this.find(id, call);
    return storedResponse(projectId === null ? MODEL : `${MODEL}:${projectId}`, turnId, turn);
  }

  @Get(':response_id/input_items')
  @ApiOperation({ summary: 'The question of a response' })
  @OpenAiAnswers(inputItemsSchema, 403, 404)
  async inputItems(@Param('response_id') id: string, @Call() call: UserCall) {
    const { turn, turnId } = await this.find(id, call);
    const item = {
      id: idOf('in', turnId),
      type: 'message',
      role: 'user',
      status: 'completed',
      content: [{ type: 'input_text', text: turn.question }],
    };
    return { object: 'list', data: [item], first_id: item.id, last_id: item.id, has_more: false };
  }

  @Delete(':response_id')
  @HttpCode(200)
  @ApiOperation({ summary: 'Delete a response: its turn leaves the conversation' })
  @OpenAiAnswers(deletedSchema, 403, 404)
  async delete(@Param('response_id') id: string, @Call() call: UserCall) {
    const turn = parseId('resp', id);
    if (turn === undefined) throw noResponse(id);
    await this.conversations.deleteTurn(turn.conversation_id, turn.message_id, call).catch((error: unknown) => {
      throw isNotFound(error) ? noResponse(id) : error;
    });
    return { id, object: 'response', deleted: true };
  }

  private async requestOf(
    body: ResponsesRequest,
    project: string | undefined,
    { question, prior, instructions: system, prefill }: Conversation,
    call: UserCall,
  ): Promise<ChatRequest> {
    const instructions = [body.instructions, system].filter(Boolean).join('\n\n') || undefined;
    const common = {
      message: question,
      project_id: project,
      scope: body.scope,
      options: { instructions, prefill, sampling: samplingOf(body) },
      detachedMs: this.config.chat.client_detached_ms,
    };
    const goesOn = continuedBy(body);
    if (goesOn !== undefined) return { ...common, ...goesOn, priorToAdd: prior };
    const user = body.safety_identifier ?? body.user;
    const { metadata } = body;
    return { ...common, prior, ...(await this.clientConversations.find({ project, user, metadata, prior }, call)) };
  }

  private async send(stream: MessageStream, writer: ResponseWriter, reply: FastifyReply, { signal }: UserCall) {
    const events = new EventStream(reply, eventStreamTimes(this.config));
    let sequence_number = 0;
    const send = async (own: Iterable<{ type: string }>) => {
      for (const event of own)
        await events.send({ ...event, sequence_number: sequence_number++ }, { event: event.type });
    };
    try {
      await send(writer.begin());
      for await (const { event } of stream.read(0, signal)) {
        const { failure } = stream;
        const hasFailed = event.type === 'finish' && failure !== undefined;
        await send(hasFailed ? writer.breakOff({ code: failure.code, message: failure.detail }) : writer.events(event));
      }
      if (!signal.aborted) await send(writer.breakOff());
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      events.end();
    }
  }

  /** The answer that an item of an earlier response refers to. */
  private async answerOf(id: string, call: UserCall): Promise<string | undefined> {
    const turnId = parseId('msg', id);
    if (turnId === undefined) return parseId('rs', id) && '';
    return (await this.find(idOf('resp', turnId), call)).turn.answer.text;
  }

  /** @throws Problem 404 */
  private async find(id: string, call: UserCall) {
    const turnId = parseId('resp', id);
    if (turnId === undefined) throw noResponse(id);
    try {
      const which = { until: turnId.message_id, last: 1 };
      const { turns, project_id } = await this.conversations.get(turnId.conversation_id, which, call);
      if (turns[0] !== undefined) return { turn: turns[0], projectId: project_id, turnId };
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
    throw noResponse(id);
  }
}

/** The conversation that a request names, by an earlier response or by its id. @throws Problem 400 */
function continuedBy({ previous_response_id: previous, conversation }: ResponsesRequest) {
  if (previous && conversation) {
    throw badRequest(
      'invalid_request',
      'conversation: leave it out, or previous_response_id; each names a conversation',
    );
  }
  if (previous) {
    const turn: TurnId | undefined = parseId('resp', previous);
    if (turn === undefined) throw noPrevious(previous);
    return { conversation_id: turn.conversation_id, parent_id: turn.message_id };
  }
  if (!conversation) return undefined;
  const id = idSchema.safeParse(typeof conversation === 'string' ? conversation : conversation.id);
  if (!id.success) throw badRequest('invalid_request', `conversation: ${id.error.issues[0]?.message ?? 'no id'}`);
  return { conversation_id: id.data, adopts: true };
}

function failed({ previous_response_id: previous }: ResponsesRequest, error: unknown): never {
  throw previous && isNotFound(error) ? noPrevious(previous) : error;
}

/** The error for a conversation or a turn that does not exist. */
function isNotFound(error: unknown): boolean {
  return error instanceof Problem && error.problem.code === 'not_found' && error.problem.errors !== undefined;
}

function noPrevious(id: string): Problem {
  const detail = `previous_response_id: there is no response ${JSON.stringify(id)}`;
  const errors = [{ path: 'previous_response_id', detail }];
  return new Problem({ status: 400, code: 'previous_response_not_found', detail, errors });
}

function noResponse(id: string): Problem {
  const detail = `response_id: there is no response ${JSON.stringify(id)}`;
  return new Problem({ status: 404, code: 'not_found', detail, errors: [{ path: 'response_id', detail }] });
}

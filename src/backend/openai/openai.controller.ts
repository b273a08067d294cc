import { Body, Controller, Get, Headers, HttpCode, Param, Post, Res } from '@nestjs/common';
import { ApiOperation, ApiProduces, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { InjectConfig } from '../../config/config.module.js';
import type { Config } from '../../config/config.schema.js';
import type { Project } from '../../downstream/filesystem/filesystem.contract.js';
import { DownstreamError } from '../../resilience/policy/downstream-error.js';
import { ChatService } from '../chat/chat.service.js';
import { collectAnswer } from '../chat/message-reply.js';
import { ProjectsService } from '../projects/projects.service.js';
import { eventStreamTimes } from '../edge/event-stream.js';
import { ListsProjects, NeedsScope } from '../call/key-scopes.js';
import { Call, Deadline, type UserCall } from '../call/public-call.js';
import { ClientConversations } from './client-conversations.service.js';
import { completion, sendCompletionStream } from './completion-reply.js';
import { MODEL, noModel, projectOf } from './model-name.js';
import { OpenAiAnswers } from './openai-error.js';
import {
  type CompletionRequest,
  completionRequestSchema,
  completionSchema,
  conversationOf,
  modelSchema,
  refuseUnsupported,
  requireShort,
  samplingOf,
} from './openai.schema.js';

const LISTED = 1000;

/** The OpenAI-compatible API: a model is a project, as `caudex:<project_id>`. */
@ApiTags('openai')
@Controller('v1')
export class OpenAiController {
  constructor(
    @InjectConfig() private readonly config: Config,
    private readonly chat: ChatService,
    private readonly projects: ProjectsService,
    private readonly clientConversations: ClientConversations,
  ) {}

  @Get('models')
  @ListsProjects()
  @ApiOperation({ summary: 'A model for each of your projects, and one without documents' })
  @OpenAiAnswers(z.object({ object: z.literal('list'), data: z.array(modelSchema) }))
  async models(@Call() call: UserCall) {
    const { projects } = await this.projects.list({ limit: LISTED, offset: 0 }, call);
    return { object: 'list', data: [WITHOUT_DOCUMENTS, ...projects.map(modelOf)] };
  }

  @Get('models/:model')
  @ApiOperation({ summary: 'One model' })
  @OpenAiAnswers(modelSchema, 404)
  async model(@Param('model') id: string, @Call() call: UserCall) {
    const project = projectOf(id, undefined);
    if (project === undefined) return WITHOUT_DOCUMENTS;
    try {
      return modelOf(await this.projects.get(project, call));
    } catch (error) {
      if (!(error instanceof DownstreamError) || error.status !== 404) throw error;
      throw noModel(`model: ${JSON.stringify(id)} is none of yours; GET /v1/models lists those that are`);
    }
  }

  @Post('chat/completions')
  @NeedsScope('chat')
  @Deadline('chat_ms')
  @HttpCode(200)
  @ApiOperation({ summary: 'A chat as an OpenAI completion; sources stand in the field `caudex`' })
  @ApiProduces('application/json', 'text/event-stream')
  @OpenAiAnswers(completionSchema, 402, 403, 404, 507)
  async complete(
    @Body({ schema: completionRequestSchema }) body: CompletionRequest,
    @Headers('x-caudex-project') projectHeader: string | undefined,
    @Res() reply: FastifyReply,
    @Call() call: UserCall,
  ): Promise<void> {
    refuseUnsupported(body);
    const { question, prior, instructions, prefill } = conversationOf(body.messages);
    requireShort(question, 'messages', this.config);
    const project = projectOf(body.model, projectHeader);
    const { user, metadata } = body;
    const stream = await this.chat.begin(
      {
        message: question,
        prior,
        project_id: project,
        scope: body.scope,
        options: { instructions, prefill, sampling: samplingOf(body) },
        detachedMs: this.config.chat.client_detached_ms,
        ...(await this.clientConversations.find({ project, user, metadata, prior }, call)),
      },
      call,
    );
    if (body.stream === true) {
      const usage = body.stream_options?.include_usage === true;
      return sendCompletionStream(reply, stream, body.model, usage, call.signal, eventStreamTimes(this.config));
    }
    const answer = await collectAnswer(stream, call.signal);
    if (answer?.summary.retry_after !== undefined) void reply.header('retry-after', String(answer.summary.retry_after));
    if (answer !== null) await reply.status(200).send(completion(body.model, answer.text, answer.summary));
  }
}

const WITHOUT_DOCUMENTS = model(MODEL, 0);
const modelOf = ({ project_id, created_at }: Project) =>
  model(`${MODEL}:${project_id}`, Math.floor(Date.parse(created_at) / 1000));

function model(id: string, created: number) {
  return { id, object: 'model' as const, created, owned_by: 'caudex' };
}

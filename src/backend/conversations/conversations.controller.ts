import {
  Body,
  Controller,
  Delete,
  Get,
  HttpCode,
  Param,
  Patch,
  Put,
  Query,
  Res,
  UseInterceptors,
} from '@nestjs/common';
import { ApiOperation, ApiProduces, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { conversationInfoSchema, conversationSchema } from '../../downstream/filesystem/filesystem.contract.js';
import { Answers } from '../edge/openapi.js';
import { SharedReadsInterceptor } from '../edge/reads/shared-reads.interceptor.js';
import { idSchema, type Page, pageSchema } from '../edge/schemas.js';
import { Audited } from '../audit/audited.decorator.js';
import { NeedsScope } from '../call/key-scopes.js';
import { Call, type UserCall } from '../call/public-call.js';
import { conversationAsMarkdown } from './markdown-export.js';
import { ConversationsService } from './conversations.service.js';

const titleSchema = z.strictObject({ title: z.string().trim().min(1).max(200) });
const turnsQuery = z
  .strictObject({
    format: z.enum(['json', 'markdown']).default('json'),
    /** A message id: the branch that contains this turn; `all`: every turn of every branch. */
    branch: idSchema.optional(),
    last: z.coerce.number().int().min(1).max(1000).optional(),
    limit: z.coerce.number().int().min(1).max(1000).optional(),
    offset: z.coerce.number().int().min(0).max(1_000_000).optional(),
  })
  .refine(({ last, limit, offset }) => last === undefined || (limit ?? offset) === undefined, {
    path: ['last'],
    error: 'the newest turns are asked for by last, others by limit and offset; send one or the other',
  });
const ratingSchema = z.strictObject({ rating: z.enum(['up', 'down']), note: z.string().max(4000).default('') });
const ALL = 'all';

@ApiTags('conversations')
@UseInterceptors(SharedReadsInterceptor)
@Controller('v1/api/conversations')
export class ConversationsController {
  constructor(private readonly conversations: ConversationsService) {}

  @Get()
  @ApiOperation({ summary: 'Your conversations, newest first' })
  @Answers(200, z.object({ conversations: z.array(conversationInfoSchema), total: z.int() }))
  list(@Query({ schema: pageSchema }) page: Page, @Call() call: UserCall) {
    return this.conversations.list(page, call);
  }

  @Get(':conversation_id')
  @ApiOperation({
    summary: 'A conversation with the turns of its newest branch, oldest first; as JSON or, for reading, as Markdown',
  })
  @ApiProduces('application/json', 'text/markdown')
  @Answers(200, conversationSchema, 404)
  async get(
    @Param('conversation_id', { schema: idSchema }) conversationId: string,
    @Query({ schema: turnsQuery }) { format, branch, ...span }: z.output<typeof turnsQuery>,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Call() call: UserCall,
  ) {
    const conversation = await this.conversations.get(
      conversationId,
      { all: branch === ALL, through: branch === ALL ? undefined : branch, ...span },
      call,
    );
    if (format === 'json') return conversation;
    void reply.type('text/markdown; charset=utf-8');
    return conversationAsMarkdown(conversation);
  }

  @Patch(':conversation_id')
  @ApiOperation({ summary: 'Rename a conversation' })
  @Answers(200, conversationInfoSchema, 404)
  rename(
    @Param('conversation_id', { schema: idSchema }) conversationId: string,
    @Body({ schema: titleSchema }) { title }: z.output<typeof titleSchema>,
    @Call() call: UserCall,
  ) {
    return this.conversations.rename(conversationId, title, call);
  }

  @Delete(':conversation_id')
  @HttpCode(204)
  @Audited('conversation.delete')
  @ApiOperation({ summary: 'Delete a conversation' })
  @Answers(204, null, 404)
  delete(@Param('conversation_id', { schema: idSchema }) conversationId: string, @Call() call: UserCall) {
    return this.conversations.delete(conversationId, call);
  }

  @Delete(':conversation_id/turns/:message_id')
  @HttpCode(204)
  @Audited('turn.delete')
  @ApiOperation({
    summary: 'Delete one question with its answer; what was said after it follows what was said before it',
  })
  @Answers(204, null, 404)
  deleteTurn(
    @Param('conversation_id', { schema: idSchema }) conversationId: string,
    @Param('message_id', { schema: idSchema }) messageId: string,
    @Call() call: UserCall,
  ) {
    return this.conversations.deleteTurn(conversationId, messageId, call);
  }

  @Put(':conversation_id/turns/:message_id/feedback')
  @NeedsScope('chat')
  @HttpCode(204)
  @ApiOperation({ summary: 'Say what you think of an answer: thumbs up or down, with a note' })
  @Answers(204, null, 404, 409)
  rate(
    @Param('conversation_id', { schema: idSchema }) conversationId: string,
    @Param('message_id', { schema: idSchema }) messageId: string,
    @Body({ schema: ratingSchema }) rating: z.output<typeof ratingSchema>,
    @Call() call: UserCall,
  ) {
    return this.conversations.rate(conversationId, messageId, rating, call);
  }

  @Delete(':conversation_id/turns/:message_id/feedback')
  @NeedsScope('chat')
  @HttpCode(204)
  @ApiOperation({ summary: 'Take your feedback back' })
  @Answers(204, null, 404, 409)
  unrate(
    @Param('conversation_id', { schema: idSchema }) conversationId: string,
    @Param('message_id', { schema: idSchema }) messageId: string,
    @Call() call: UserCall,
  ) {
    return this.conversations.rate(conversationId, messageId, null, call);
  }
}

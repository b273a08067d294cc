import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Query, Res, UseInterceptors } from '@nestjs/common';
import { ApiOperation, ApiProduces, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { conversationInfoSchema, turnSchema } from '../../downstream/filesystem/filesystem.contract.js';
import { Answers } from '../edge/openapi.js';
import { SharedReadsInterceptor } from '../edge/reads/shared-reads.interceptor.js';
import { idSchema, type Page, pageSchema } from '../edge/schemas.js';
import { Call, type UserCall } from '../call/public-call.js';
import { conversationAsMarkdown } from './markdown-export.js';
import { ConversationsService } from './conversations.service.js';

const titleSchema = z.strictObject({ title: z.string().trim().min(1).max(200) });
const exportQuery = z.strictObject({ format: z.enum(['json', 'markdown']).default('json') });
const conversationSchema = conversationInfoSchema.omit({ turns: true }).extend({ turns: z.array(turnSchema) });

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
  @ApiOperation({ summary: 'A conversation with its turns, oldest first; as JSON or, for reading, as Markdown' })
  @ApiProduces('application/json', 'text/markdown')
  @Answers(200, conversationSchema, 404)
  async get(
    @Param('conversation_id', { schema: idSchema }) conversationId: string,
    @Query({ schema: exportQuery }) { format }: z.output<typeof exportQuery>,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Call() call: UserCall,
  ) {
    const conversation = await this.conversations.get(conversationId, call);
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
  @ApiOperation({ summary: 'Delete a conversation' })
  @Answers(204, null, 404)
  delete(@Param('conversation_id', { schema: idSchema }) conversationId: string, @Call() call: UserCall) {
    return this.conversations.delete(conversationId, call);
  }
}

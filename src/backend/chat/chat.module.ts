import { Module } from '@nestjs/common';
import { ConfigModule } from '../../config/config.module.js';
import { EdgeModule } from '../edge/edge.module.js';
import { LlmModule } from '../../downstream/llm/llm.module.js';
import { CacheModule } from '../cache/cache.module.js';
import { ProjectsModule } from '../projects/projects.module.js';
import { ConversationsModule } from '../conversations/conversations.module.js';
import { CreditsModule } from '../billing/credits.module.js';
import { SearchModule } from '../search/search.module.js';
import { ChatController } from './chat.controller.js';
import { ModelsController } from './models.controller.js';
import { ChatHistory } from './chat-history.service.js';
import { ChatService } from './chat.service.js';
import { Answering } from './answering.service.js';
import { ModelRelay } from './model-relay.service.js';
import { AnswerCache } from './answer-cache.service.js';
import { RedisModule } from '../redis/redis.module.js';
import { SharedStreams } from './shared-streams.service.js';
import { MessageStreams } from './message-streams.service.js';

@Module({
  imports: [
    ConfigModule,
    EdgeModule,
    LlmModule,
    CacheModule,
    RedisModule,
    ProjectsModule,
    ConversationsModule,
    CreditsModule,
    SearchModule,
  ],
  controllers: [ChatController, ModelsController],
  providers: [ChatService, ChatHistory, Answering, ModelRelay, AnswerCache, MessageStreams, SharedStreams],
  exports: [ChatService],
})
export class ChatModule {}

import { Module } from '@nestjs/common';
import { ConfigModule } from '../../config/config.module.js';
import { ProjectsModule } from '../projects/projects.module.js';
import { ChromaModule } from '../../downstream/chroma/chroma.module.js';
import { ConversationsModule } from '../conversations/conversations.module.js';
import { EdgeModule } from '../edge/edge.module.js';
import { ChatModule } from '../chat/chat.module.js';
import { EmbeddingsController } from './embeddings.controller.js';
import { ClientConversations } from './client-conversations.service.js';
import { ResponsesController } from './responses/responses.controller.js';
import { OpenAiController } from './openai.controller.js';

@Module({
  imports: [ConfigModule, EdgeModule, ChromaModule, ProjectsModule, ConversationsModule, ChatModule],
  controllers: [OpenAiController, EmbeddingsController, ResponsesController],
  providers: [ClientConversations],
})
export class OpenAiModule {}

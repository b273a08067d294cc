import { Module } from '@nestjs/common';
import { ConfigModule } from '../../config/config.module.js';
import { ProjectsModule } from '../projects/projects.module.js';
import { ChatModule } from '../chat/chat.module.js';
import { OpenAiController } from './openai.controller.js';

@Module({
  imports: [ConfigModule, ProjectsModule, ChatModule],
  controllers: [OpenAiController],
})
export class OpenAiModule {}

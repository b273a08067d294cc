import { Module } from '@nestjs/common';
import { ConfigModule } from '../../config/config.module.js';
import { CopiesModule } from '../copies/copies.module.js';
import { GitModule } from '../../downstream/git/git.module.js';
import { ChatModule } from '../chat/chat.module.js';
import { DocumentsModule } from '../documents/documents.module.js';
import { ProjectsModule } from '../projects/projects.module.js';
import { SearchModule } from '../search/search.module.js';
import { McpController } from './mcp.controller.js';
import { McpTools } from './mcp-tools.service.js';

@Module({
  imports: [ConfigModule, CopiesModule, GitModule, ProjectsModule, DocumentsModule, SearchModule, ChatModule],
  controllers: [McpController],
  providers: [McpTools],
})
export class McpModule {}

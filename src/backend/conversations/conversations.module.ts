import { Module } from '@nestjs/common';
import { AuditModule } from '../audit/audit.module.js';
import { ConfigModule } from '../../config/config.module.js';
import { EdgeModule } from '../edge/edge.module.js';
import { OutboxModule } from '../../outbox/outbox.module.js';
import { FilesystemModule } from '../../downstream/filesystem/filesystem.module.js';
import { ProjectsModule } from '../projects/projects.module.js';
import { ConversationsController } from './conversations.controller.js';
import { Turns } from './turns.service.js';
import { ConversationsService } from './conversations.service.js';

@Module({
  imports: [AuditModule, ConfigModule, EdgeModule, OutboxModule, FilesystemModule, ProjectsModule],
  controllers: [ConversationsController],
  providers: [Turns, ConversationsService],
  exports: [Turns, ConversationsService],
})
export class ConversationsModule {}

import { Module } from '@nestjs/common';
import { AuditModule } from '../audit/audit.module.js';
import { ConfigModule } from '../../config/config.module.js';
import { CopiesModule } from '../copies/copies.module.js';
import { EdgeModule } from '../edge/edge.module.js';
import { OutboxModule } from '../../outbox/outbox.module.js';
import { FilesystemModule } from '../../downstream/filesystem/filesystem.module.js';
import { ProjectsController } from './projects.controller.js';
import { ProjectsService } from './projects.service.js';
import { ProjectAccess } from './project-access.service.js';
import { ProjectEvents } from './project-events.js';

@Module({
  imports: [AuditModule, ConfigModule, EdgeModule, OutboxModule, FilesystemModule, CopiesModule],
  controllers: [ProjectsController],
  providers: [ProjectsService, ProjectAccess, ProjectEvents],
  exports: [ProjectsService, ProjectAccess, ProjectEvents],
})
export class ProjectsModule {}

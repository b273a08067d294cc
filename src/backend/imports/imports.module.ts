import { Module } from '@nestjs/common';
import { ConfigModule } from '../../config/config.module.js';
import { EdgeModule } from '../edge/edge.module.js';
import { OutboxModule } from '../../outbox/outbox.module.js';
import { GitModule } from '../../downstream/git/git.module.js';
import { ProjectsModule } from '../projects/projects.module.js';
import { DocumentsModule } from '../documents/documents.module.js';
import { ImportsController } from './imports.controller.js';
import { Imports } from './imports.service.js';
import { Importing } from './importing.service.js';
import { ImportStore } from './import.store.js';

@Module({
  imports: [ConfigModule, EdgeModule, OutboxModule, GitModule, ProjectsModule, DocumentsModule],
  controllers: [ImportsController],
  providers: [Imports, Importing, ImportStore],
})
export class ImportsModule {}

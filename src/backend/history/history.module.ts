import { Module } from '@nestjs/common';
import { EdgeModule } from '../edge/edge.module.js';
import { CopiesModule } from '../copies/copies.module.js';
import { GitModule } from '../../downstream/git/git.module.js';
import { ProjectsModule } from '../projects/projects.module.js';
import { DocumentsModule } from '../documents/documents.module.js';
import { HistoryController } from './history.controller.js';

@Module({
  imports: [EdgeModule, CopiesModule, GitModule, ProjectsModule, DocumentsModule],
  controllers: [HistoryController],
})
export class HistoryModule {}

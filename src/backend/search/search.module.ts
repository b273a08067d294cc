import { Module } from '@nestjs/common';
import { ConfigModule } from '../../config/config.module.js';
import { CopiesModule } from '../copies/copies.module.js';
import { ResilienceModule } from '../../resilience/resilience.module.js';
import { FilesystemModule } from '../../downstream/filesystem/filesystem.module.js';
import { ChromaModule } from '../../downstream/chroma/chroma.module.js';
import { GitModule } from '../../downstream/git/git.module.js';
import { CacheModule } from '../cache/cache.module.js';
import { ProjectsModule } from '../projects/projects.module.js';
import { DocumentsModule } from '../documents/documents.module.js';
import { EdgeModule } from '../edge/edge.module.js';
import { SearchController } from './search.controller.js';
import { Retrieval } from './retrieval.service.js';
import { ChatPassages } from './chat-passages.service.js';
import { ResultCache } from './result-cache.service.js';

@Module({
  imports: [
    ConfigModule,
    CopiesModule,
    ResilienceModule,
    FilesystemModule,
    ChromaModule,
    GitModule,
    CacheModule,
    ProjectsModule,
    DocumentsModule,
    EdgeModule,
  ],
  controllers: [SearchController],
  providers: [Retrieval, ChatPassages, ResultCache],
  exports: [ChatPassages, Retrieval],
})
export class SearchModule {}

import { Module } from '@nestjs/common';
import { ConfigModule } from '../../../config/config.module.js';
import { InternalServerModule } from '../../../http/http.module.js';
import { ChromaController } from './chroma.controller.js';
import { DocumentArrivals } from './document-arrivals.js';
import { Embedders } from './embedders.js';
import { GenerationBuilder } from './generation.builder.js';
import { IndexStore } from './index.store.js';
import { IndexerService } from './indexer.service.js';
import { ProjectLock } from './project-lock.js';
import { Reranker } from './reranker.js';
import { SearchService } from './search.service.js';
import { VectorStore } from './vector.store.js';
import { VectorSync } from './vector-sync.js';

/** Passages of documents, found by words and by meaning; the vectors lie in a ChromaDB. */
@Module({
  imports: [InternalServerModule, ConfigModule],
  controllers: [ChromaController],
  providers: [
    IndexStore,
    VectorStore,
    VectorSync,
    Embedders,
    ProjectLock,
    GenerationBuilder,
    DocumentArrivals,
    IndexerService,
    SearchService,
    Reranker,
  ],
})
export class ChromaServerModule {}

import { Module } from '@nestjs/common';
import { ConfigModule } from '../../../config/config.module.js';
import { InternalServerModule } from '../../../http/http.module.js';
import { ChromaController } from './chroma.controller.js';
import { DocumentArrivals } from './indexing/document-arrivals.js';
import { Embedders } from './embedding/embedders.js';
import { GenerationBuilder } from './indexing/generation.builder.js';
import { IndexStore } from './index/index.store.js';
import { IndexerService } from './indexing/indexer.service.js';
import { PretrainedModel } from './embedding/pretrained-model.js';
import { ProjectLock } from './index/project-lock.js';
import { Reranker } from './searching/reranker.js';
import { SearchService } from './searching/search.service.js';
import { VectorStore } from './chromadb/vector.store.js';
import { VectorSync } from './chromadb/vector-sync.js';

/** The index of passages, searched by words and by meaning; the vectors are stored in ChromaDB. */
@Module({
  imports: [InternalServerModule, ConfigModule],
  controllers: [ChromaController],
  providers: [
    IndexStore,
    VectorStore,
    VectorSync,
    PretrainedModel,
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

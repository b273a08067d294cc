import { Controller } from '@nestjs/common';
import { type Caller, CallerOf } from '../../../http/caller.js';
import { Implements, Input } from '../../../http/implements.decorator.js';
import type { EndpointOutput, EndpointRequest } from '../../../contract/endpoint.js';
import { chromaContract } from '../chroma.contract.js';
import { EmbeddingError } from './embedding/embedder.js';
import { Embedders } from './embedding/embedders.js';
import type { DocumentState } from './indexing/document-arrivals.js';
import { IndexStore } from './index/index.store.js';
import { IndexerService } from './indexing/indexer.service.js';
import { SearchService } from './searching/search.service.js';

type Contract = typeof chromaContract;
type Request<K extends keyof Contract> = EndpointRequest<Contract[K]>;
type Answer<K extends keyof Contract> = Promise<EndpointOutput<Contract[K]>>;

@Controller()
export class ChromaController {
  constructor(
    private readonly indexer: IndexerService,
    private readonly search: SearchService,
    private readonly store: IndexStore,
    private readonly embedders: Embedders,
  ) {}

  @Implements(chromaContract.query)
  query(@CallerOf() { userId, deadlineMs }: Caller, @Input() { body }: Request<'query'>): Answer<'query'> {
    const { project_id: projectId, query, mode, limit, offset, scope, explain } = body;
    return this.search.query({ userId, projectId }, query, mode, {
      page: { limit, offset },
      scope,
      explain,
      deadlineMs,
    });
  }

  @Implements(chromaContract.embed)
  async embed(@Input() { body }: Request<'embed'>): Answer<'embed'> {
    try {
      return await this.embedders.embedTexts(body.texts);
    } catch (error) {
      if (!(error instanceof EmbeddingError)) throw error;
      // An outage of the embedder is not one of this server: the breaker for it must stay closed for the calls that
      // need no embedder.
      return { embedder: '', pretrained: true, vectors: [], not_embedded: error.reason };
    }
  }

  @Implements(chromaContract.upsert)
  upsert(@CallerOf() { userId }: Caller, @Input() { body }: Request<'upsert'>): Answer<'upsert'> {
    const { project_id: projectId, ...document } = body;
    return this.indexer.upsert({ userId, projectId }, stateOf(document));
  }

  @Implements(chromaContract.upsertAll)
  async upsertAll(@CallerOf() { userId }: Caller, @Input() { body }: Request<'upsertAll'>): Answer<'upsertAll'> {
    const { project_id: projectId, documents } = body;
    return { documents: await this.indexer.upsertAll({ userId, projectId }, documents.map(stateOf)) };
  }

  @Implements(chromaContract.remove)
  async remove(@CallerOf() { userId }: Caller, @Input() { body }: Request<'remove'>): Answer<'remove'> {
    return { removed: (await this.indexer.remove({ userId, projectId: body.project_id }, [body.path])) > 0 };
  }

  @Implements(chromaContract.removeAll)
  async removeAll(@CallerOf() { userId }: Caller, @Input() { body }: Request<'removeAll'>): Answer<'removeAll'> {
    return { removed: await this.indexer.remove({ userId, projectId: body.project_id }, body.paths) };
  }

  @Implements(chromaContract.dropProject)
  async dropProject(
    @CallerOf() { userId }: Caller,
    @Input() { params }: Request<'dropProject'>,
  ): Answer<'dropProject'> {
    return { removed: await this.indexer.dropProject({ userId, projectId: params.project_id }) };
  }

  @Implements(chromaContract.inventory)
  inventory(@Input() { query }: Request<'inventory'>): EndpointOutput<Contract['inventory']> {
    return this.store.inventory.page(query.after, query.limit);
  }

  @Implements(chromaContract.versions)
  versions(
    @CallerOf() { userId }: Caller,
    @Input() { params, query }: Request<'versions'>,
  ): EndpointOutput<Contract['versions']> {
    const key = { userId, projectId: params.project_id };
    const documents = this.store.versions(key, query.limit, query.offset);
    return { documents, total: this.store.countDocuments(key) };
  }

  @Implements(chromaContract.describe)
  describe(
    @CallerOf() { userId }: Caller,
    @Input() { params }: Request<'describe'>,
  ): EndpointOutput<Contract['describe']> {
    return this.indexer.describe({ userId, projectId: params.project_id });
  }
}

function stateOf({
  media_type: mediaType,
  moved_from: movedFrom,
  ...document
}: Request<'upsertAll'>['body']['documents'][number]): DocumentState {
  return { ...document, mediaType, movedFrom };
}

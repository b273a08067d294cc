import { Controller } from '@nestjs/common';
import { type Caller, CallerOf } from '../../../../http/caller.js';
import { Implements, Input } from '../../../../http/implements.decorator.js';
import type { EndpointOutput, EndpointRequest } from '../../../../contract/endpoint.js';
import { filesystemContract as contract } from '../../filesystem.contract.js';
import { OriginalsService } from './originals.service.js';
import { DocumentMover } from './document-mover.js';
import { DocumentsService } from './documents.service.js';

type Request<K extends keyof typeof contract> = EndpointRequest<(typeof contract)[K]>;
type Answer<K extends keyof typeof contract> = EndpointOutput<(typeof contract)[K]>;

const keyOf = ({ userId }: Caller, { project_id }: { project_id: string }) => ({ userId, projectId: project_id });

@Controller()
export class DocumentsController {
  constructor(
    private readonly documents: DocumentsService,
    private readonly originals: OriginalsService,
    private readonly mover: DocumentMover,
  ) {}

  @Implements(contract.inventory)
  inventory(@Input() { query }: Request<'inventory'>): Promise<Answer<'inventory'>> {
    return this.documents.inventory(query.after, query.limit);
  }

  @Implements(contract.putDocument)
  put(
    @CallerOf() caller: Caller,
    @Input() { params, query, body }: Request<'putDocument'>,
  ): Promise<Answer<'putDocument'>> {
    return this.documents.put(keyOf(caller, params), query.path, body);
  }

  @Implements(contract.putDocuments)
  async putAll(
    @CallerOf() caller: Caller,
    @Input() { params, body }: Request<'putDocuments'>,
  ): Promise<Answer<'putDocuments'>> {
    return { documents: await this.documents.putAll(keyOf(caller, params), body.documents) };
  }

  @Implements(contract.readDocuments)
  async readAll(
    @CallerOf() caller: Caller,
    @Input() { params, body }: Request<'readDocuments'>,
  ): Promise<Answer<'readDocuments'>> {
    return { documents: await this.documents.readAll(keyOf(caller, params), body.paths) };
  }

  @Implements(contract.getDocument)
  get(@CallerOf() caller: Caller, @Input() { params, query }: Request<'getDocument'>): Promise<Answer<'getDocument'>> {
    return this.documents.get(keyOf(caller, params), query.path);
  }

  @Implements(contract.getOriginal)
  original(
    @CallerOf() caller: Caller,
    @Input() { params, query }: Request<'getOriginal'>,
  ): Promise<Answer<'getOriginal'>> {
    return this.originals.get(keyOf(caller, params), query.path);
  }

  @Implements(contract.extractDocument)
  extract(
    @CallerOf() caller: Caller,
    @Input() { params, query, body }: Request<'extractDocument'>,
  ): Promise<Answer<'extractDocument'>> {
    return this.originals.extract(keyOf(caller, params), query.path, body);
  }

  @Implements(contract.listAttachments)
  async attachments(
    @CallerOf() caller: Caller,
    @Input() { params, query }: Request<'listAttachments'>,
  ): Promise<Answer<'listAttachments'>> {
    return { attachments: await this.originals.attachments(keyOf(caller, params), query.path) };
  }

  @Implements(contract.tagDocument)
  tag(
    @CallerOf() caller: Caller,
    @Input() { params, query, body }: Request<'tagDocument'>,
  ): Promise<Answer<'tagDocument'>> {
    return this.documents.setTags(keyOf(caller, params), query.path, body.tags);
  }

  @Implements(contract.tagDocuments)
  async tagAll(
    @CallerOf() caller: Caller,
    @Input() { params, body }: Request<'tagDocuments'>,
  ): Promise<Answer<'tagDocuments'>> {
    return { documents: await this.documents.setTagsOfAll(keyOf(caller, params), body.documents) };
  }

  @Implements(contract.deleteDocuments)
  async deleteAll(
    @CallerOf() caller: Caller,
    @Input() { params, body }: Request<'deleteDocuments'>,
  ): Promise<Answer<'deleteDocuments'>> {
    const { paths, arrived_ms, trash } = body;
    return { documents: await this.documents.deleteAll(keyOf(caller, params), paths, arrived_ms, trash) };
  }

  @Implements(contract.moveEach)
  async moveEach(
    @CallerOf() caller: Caller,
    @Input() { params, body: { moves, ...request } }: Request<'moveEach'>,
  ): Promise<Answer<'moveEach'>> {
    return { documents: await this.mover.moveEach(keyOf(caller, params), moves, request) };
  }

  @Implements(contract.deleteDocument)
  async delete(
    @CallerOf() caller: Caller,
    @Input() { params, query }: Request<'deleteDocument'>,
  ): Promise<Answer<'deleteDocument'>> {
    return { deleted: await this.documents.delete(keyOf(caller, params), query.path, query.arrived_ms, query.trash) };
  }

  @Implements(contract.moveDocuments)
  async move(
    @CallerOf() caller: Caller,
    @Input() { params, body }: Request<'moveDocuments'>,
  ): Promise<Answer<'moveDocuments'>> {
    return { moved: await this.mover.move(keyOf(caller, params), body) };
  }

  @Implements(contract.listDocuments)
  list(
    @CallerOf() caller: Caller,
    @Input() { params, query }: Request<'listDocuments'>,
  ): Promise<Answer<'listDocuments'>> {
    return this.documents.list(keyOf(caller, params), query.prefix, query.limit, query.offset);
  }

  @Implements(contract.search)
  search(@CallerOf() caller: Caller, @Input() { params, body }: Request<'search'>): Promise<Answer<'search'>> {
    const { query, limit, offset, scope, explain } = body;
    return this.documents.search(keyOf(caller, params), query, { page: { limit, offset }, scope, explain });
  }
}

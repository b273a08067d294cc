import { Controller } from '@nestjs/common';
import type { EndpointOutput, EndpointRequest } from '../../../../contract/endpoint.js';
import { type Caller, CallerOf } from '../../../../http/caller.js';
import { Implements, Input } from '../../../../http/implements.decorator.js';
import { filesystemContract as contract } from '../../filesystem.contract.js';
import { type DocumentRow, infoOf } from '../documents/document-row.js';
import { TrashImport } from './trash-import.service.js';
import { TrashService } from './trash.service.js';

type Request<K extends keyof typeof contract> = EndpointRequest<(typeof contract)[K]>;
type Answer<K extends keyof typeof contract> = EndpointOutput<(typeof contract)[K]>;

const keyOf = ({ userId }: Caller, { project_id }: { project_id: string }) => ({ userId, projectId: project_id });

@Controller()
export class TrashController {
  constructor(
    private readonly trash: TrashService,
    private readonly imports: TrashImport,
  ) {}

  @Implements(contract.listTrash)
  list(@CallerOf() caller: Caller, @Input() { params, query }: Request<'listTrash'>): Promise<Answer<'listTrash'>> {
    return this.trash.list(keyOf(caller, params), query.limit, query.offset);
  }

  @Implements(contract.getTrashed)
  get(@CallerOf() caller: Caller, @Input() { params, query }: Request<'getTrashed'>): Promise<Answer<'getTrashed'>> {
    return this.trash.get(keyOf(caller, params), query.path, query.version);
  }

  @Implements(contract.bringTrashed)
  async bring(
    @CallerOf() caller: Caller,
    @Input() { params, query, body }: Request<'bringTrashed'>,
  ): Promise<Answer<'bringTrashed'>> {
    return { stored: await this.imports.bring(keyOf(caller, params), query.path, body) };
  }

  @Implements(contract.restoreDocument)
  async restore(
    @CallerOf() caller: Caller,
    @Input() { params, query, body }: Request<'restoreDocument'>,
  ): Promise<Answer<'restoreDocument'>> {
    const row = await this.trash.restore(keyOf(caller, params), query.path, body);
    return restored(row);
  }

  @Implements(contract.restoreDocuments)
  async restoreAll(
    @CallerOf() caller: Caller,
    @Input() { params, body }: Request<'restoreDocuments'>,
  ): Promise<Answer<'restoreDocuments'>> {
    const answers = await this.trash.restoreAll(keyOf(caller, params), body.documents, body.arrived_ms);
    return { documents: answers.map((answer) => ('status' in answer ? answer : restored(answer))) };
  }

  @Implements(contract.removeTrashed)
  async remove(
    @CallerOf() caller: Caller,
    @Input() { params, body }: Request<'removeTrashed'>,
  ): Promise<Answer<'removeTrashed'>> {
    return { removed: await this.trash.remove(keyOf(caller, params), body.documents) };
  }

  @Implements(contract.emptyTrash)
  async empty(
    @CallerOf() caller: Caller,
    @Input() { params, query }: Request<'emptyTrash'>,
  ): Promise<Answer<'emptyTrash'>> {
    return { removed: await this.trash.remove(keyOf(caller, params), [query]) };
  }
}

const restored = (row: DocumentRow) => ({ ...infoOf(row), created: true, changed: true });

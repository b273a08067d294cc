import { Controller, Inject } from '@nestjs/common';
import { type Caller, CallerOf } from '../../../http/caller.js';
import { Implements, Input } from '../../../http/implements.decorator.js';
import type { EndpointRequest } from '../../endpoint.js';
import { gitContract } from '../git.contract.js';
import { GitService } from './git.service.js';
import { GRAPH_STORE, type GraphStore } from './graph-store.js';

type Request<K extends keyof typeof gitContract> = EndpointRequest<(typeof gitContract)[K]>;

const keyOf = ({ userId }: Caller, { project_id }: { project_id: string }) => ({ userId, projectId: project_id });

@Controller()
export class GitController {
  constructor(
    private readonly git: GitService,
    @Inject(GRAPH_STORE) private readonly graphs: GraphStore,
  ) {}

  @Implements(gitContract.commit)
  commit(@CallerOf() caller: Caller, @Input() { params, body }: Request<'commit'>) {
    const { committed_at, ...change } = body;
    return this.git.commit(keyOf(caller, params), { ...change, committedAt: committed_at });
  }

  @Implements(gitContract.history)
  history(@CallerOf() caller: Caller, @Input() { params, query }: Request<'history'>) {
    return this.git.history(keyOf(caller, params), query);
  }

  @Implements(gitContract.textAt)
  async textAt(@CallerOf() caller: Caller, @Input() { params, query }: Request<'textAt'>) {
    return { ...query, text: await this.git.textAt(keyOf(caller, params), query.path, query.version) };
  }

  @Implements(gitContract.diff)
  async diff(@CallerOf() caller: Caller, @Input() { params, query }: Request<'diff'>) {
    return { ...query, diff: await this.git.diff(keyOf(caller, params), query.path, query.from, query.to) };
  }

  @Implements(gitContract.blame)
  async blame(@CallerOf() caller: Caller, @Input() { params, query }: Request<'blame'>) {
    return { path: query.path, lines: await this.git.blame(keyOf(caller, params), query.path, query.version) };
  }

  @Implements(gitContract.dropProject)
  async drop(@CallerOf() caller: Caller, @Input() { params }: Request<'dropProject'>) {
    return { removed: await this.git.drop(keyOf(caller, params)) };
  }

  @Implements(gitContract.graph)
  graph(@CallerOf() caller: Caller, @Input() { params, query }: Request<'graph'>) {
    return this.graphs.graph(keyOf(caller, params), query.limit);
  }

  @Implements(gitContract.related)
  async related(@CallerOf() caller: Caller, @Input() { params, query }: Request<'related'>) {
    return { related: await this.graphs.related(keyOf(caller, params), query.path, query.limit) };
  }
}

import { Controller, Inject } from '@nestjs/common';
import { type Caller, CallerOf } from '../../../http/caller.js';
import { Implements, Input } from '../../../http/implements.decorator.js';
import { Problem } from '../../../http/problem.js';
import type { EndpointRequest } from '../../../contract/endpoint.js';
import { guarded, GuardError } from '../../../resilience/policy/guarded.js';
import { gitContract } from '../git.contract.js';
import { GraphFeed } from './graph/graph-feed.js';
import { FillService } from './versions/fill.service.js';
import { GitService } from './versions/git.service.js';
import { MoveService } from './versions/move.service.js';
import { VersionStore } from './versions/version-store.js';
import { GRAPH_STORE, GraphAway, type GraphStore } from './graph/graph-store.js';
import { ImportsService } from './imports/imports.service.js';

type Request<K extends keyof typeof gitContract> = EndpointRequest<(typeof gitContract)[K]>;

const keyOf = ({ userId }: Caller, { project_id }: { project_id: string }) => ({ userId, projectId: project_id });

const changeOf = ({ committed_at, ...change }: Request<'commit'>['body']) => ({ ...change, committedAt: committed_at });

@Controller()
export class GitController {
  constructor(
    private readonly git: GitService,
    private readonly moves: MoveService,
    private readonly fills: FillService,
    private readonly versions: VersionStore,
    private readonly imports: ImportsService,
    @Inject(GRAPH_STORE) private readonly graphs: GraphStore,
    private readonly feed: GraphFeed,
  ) {}

  @Implements(gitContract.commit)
  async commit(@CallerOf() caller: Caller, @Input() { params, body }: Request<'commit'>) {
    const [commit] = await this.git.commit(keyOf(caller, params), [changeOf(body)]);
    return { commit: commit as string, version: body.version };
  }

  @Implements(gitContract.commits)
  async commits(@CallerOf() caller: Caller, @Input() { params, body }: Request<'commits'>) {
    const commits = await this.git.commit(keyOf(caller, params), body.changes.map(changeOf));
    return { commits: body.changes.map(({ version }, i) => ({ commit: commits[i] as string, version })) };
  }

  @Implements(gitContract.move)
  async move(@CallerOf() caller: Caller, @Input() { params, body }: Request<'move'>) {
    const { committed_at: committedAt, documents, ...move } = body;
    const moved = documents.map(({ from_version: fromVersion, ...document }) => ({ ...document, fromVersion }));
    return { missing: await this.moves.move(keyOf(caller, params), { ...move, committedAt, documents: moved }) };
  }

  @Implements(gitContract.history)
  history(@CallerOf() caller: Caller, @Input() { params, query }: Request<'history'>) {
    return this.git.history(keyOf(caller, params), query);
  }

  @Implements(gitContract.changes)
  async changes(@CallerOf() caller: Caller, @Input() { params, query }: Request<'changes'>) {
    return { changes: await this.git.changes(keyOf(caller, params), query, caller.deadlineMs) };
  }

  @Implements(gitContract.inventory)
  inventory(@Input() { query }: Request<'inventory'>) {
    return this.versions.inventory.page(query.after, query.limit);
  }

  @Implements(gitContract.versionInventory)
  versionInventory(@Input() { query }: Request<'versionInventory'>) {
    return this.versions.versionInventory.page(query.after, query.limit);
  }

  @Implements(gitContract.versions)
  listVersions(@CallerOf() caller: Caller, @Input() { params, query }: Request<'versions'>) {
    return { versions: this.versions.inOrder(keyOf(caller, params), query.after, MAX_LISTED) };
  }

  @Implements(gitContract.wholeVersions)
  async wholeVersions(@CallerOf() caller: Caller, @Input() { params, query }: Request<'wholeVersions'>) {
    return { versions: await this.fills.read(keyOf(caller, params), query.after) };
  }

  @Implements(gitContract.fill)
  async fill(@CallerOf() caller: Caller, @Input() { params, body }: Request<'fill'>) {
    return { after: await this.fills.fill(keyOf(caller, params), body) };
  }

  @Implements(gitContract.heads)
  heads(@CallerOf() caller: Caller, @Input() { params, query }: Request<'heads'>) {
    return this.versions.heads(keyOf(caller, params), query);
  }

  @Implements(gitContract.unknown)
  unknown(@CallerOf() caller: Caller, @Input() { params, body }: Request<'unknown'>) {
    const project = keyOf(caller, params);
    // A deleted project takes no commits, so it misses none.
    if (this.versions.isDropped(project)) return { documents: [] };
    const unknown = body.documents.filter(
      ({ path, version }) => this.versions.find(project, version, path) === undefined,
    );
    return { documents: unknown };
  }

  @Implements(gitContract.textAt)
  async textAt(@CallerOf() caller: Caller, @Input() { params, query }: Request<'textAt'>) {
    const { path, version } = query;
    return { ...query, text: await this.git.textAt(keyOf(caller, params), path, version, caller.deadlineMs) };
  }

  @Implements(gitContract.diff)
  async diff(@CallerOf() caller: Caller, @Input() { params, query }: Request<'diff'>) {
    const { path, from, to } = query;
    return { ...query, diff: await this.git.diff(keyOf(caller, params), path, from, to, caller.deadlineMs) };
  }

  @Implements(gitContract.blame)
  async blame(@CallerOf() caller: Caller, @Input() { params, query }: Request<'blame'>) {
    const { path, version } = query;
    return { path, lines: await this.git.blame(keyOf(caller, params), path, version, caller.deadlineMs) };
  }

  @Implements(gitContract.dropProject)
  async drop(@CallerOf() caller: Caller, @Input() { params }: Request<'dropProject'>) {
    const project = keyOf(caller, params);
    await this.imports.end(project);
    return { removed: await this.git.drop(project) };
  }

  @Implements(gitContract.createBundle)
  createBundle(@CallerOf() caller: Caller, @Input() { params }: Request<'createBundle'>) {
    return this.git.createBundle(keyOf(caller, params), caller.deadlineMs);
  }

  @Implements(gitContract.readBundle)
  async readBundle(@CallerOf() caller: Caller, @Input() { params, query }: Request<'readBundle'>) {
    const part = await this.git.readBundle(keyOf(caller, params), params.bundle_id, query.offset);
    return { content_base64: part.toString('base64') };
  }

  @Implements(gitContract.graph)
  graph(@CallerOf() caller: Caller, @Input() { params, query }: Request<'graph'>) {
    return queryGraph(caller, () => this.graphs.graph(keyOf(caller, params), query.limit));
  }

  @Implements(gitContract.setAside)
  setAside(@Input() { query }: Request<'setAside'>) {
    const changes = this.feed.setAside(query.limit).map(({ userId, projectId, ...change }) => ({
      user_id: userId,
      project_id: projectId,
      ...change,
    }));
    return { changes };
  }

  @Implements(gitContract.related)
  async related(@CallerOf() caller: Caller, @Input() { params, query }: Request<'related'>) {
    return {
      related: await queryGraph(caller, () => this.graphs.related(keyOf(caller, params), query.path, query.limit)),
    };
  }

  @Implements(gitContract.near)
  async near(@CallerOf() caller: Caller, @Input() { params, body }: Request<'near'>) {
    return { near: await queryGraph(caller, () => this.graphs.near(keyOf(caller, params), body.to, body.among)) };
  }
}

/** The versions of one list. */
const MAX_LISTED = 1000;
/** Subtracted from the caller's deadline, for sending the answer. */
const MARGIN_MS = 50;
const MAX_WAIT_MS = 10_000;

/**
 * Queries the graph. The history works without it, so a graph that is unavailable or slow leads to 424 `graph_away`
 * before the caller's deadline, which does not count as a failure of this server.
 */
async function queryGraph<T>({ deadlineMs }: Caller, question: () => Promise<T>): Promise<T> {
  try {
    return await guarded(question, { name: 'the graph', timeoutMs: MAX_WAIT_MS, deadlineMs: deadlineMs - MARGIN_MS });
  } catch (error) {
    if (!(error instanceof GraphAway || error instanceof GuardError)) throw error;
    throw new Problem({ status: 424, code: 'graph_away', detail: error.message, retryAfter: 5 });
  }
}

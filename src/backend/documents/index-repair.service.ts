import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { InjectConfig } from '../../config/config.module.js';
import type { Config } from '../../config/config.schema.js';
import type { Inventory } from '../../contract/inventory.contract.js';
import { ChromaClient } from '../../downstream/chroma/chroma.client.js';
import { FilesystemClient } from '../../downstream/filesystem/filesystem.client.js';
import type { CallContext } from '../../resilience/policy/call-context.js';
import { DownstreamError } from '../../resilience/policy/downstream-error.js';
import { ServiceRegistry } from '../../resilience/service-registry.js';
import { DocumentSync } from './document-sync.service.js';

interface Owned {
  userId: string;
  projectId: string;
}
type Held = Inventory['projects'][number];

const PAGE = 1000;
const CALL_MS = 30_000;
/** Without any sign that something was lost, all projects are compared this often. */
const COMPARE_ALL_MS = 15 * 60 * 1000;

/**
 * Keeps the index what the files are, also after a store was lost or an older one put back: what filesystem and chroma have of
 * each project is compared when either of them has started, and now and then; what differs goes through the outbox, as a change
 * does.
 */
@Injectable()
export class IndexRepair implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly rebuilding = new Set<string>();
  private readonly stopping = new AbortController();
  /** The two servers that were compared last. */
  private compared = '';
  private comparedAtMs = -Infinity;
  private running: Promise<void> | undefined;

  constructor(
    @InjectConfig() private readonly config: Config,
    private readonly filesystem: FilesystemClient,
    private readonly chroma: ChromaClient,
    private readonly sync: DocumentSync,
    private readonly services: ServiceRegistry,
    private readonly log: PinoLogger,
  ) {}

  onApplicationBootstrap(): void {
    this.running = this.watch();
  }

  async onApplicationShutdown(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  /** Whether the index of a project is being made anew: search then answers from the text. */
  async isRebuilding(userId: string, projectId: string): Promise<boolean> {
    const name = `${userId}/${projectId}`;
    if (!this.rebuilding.has(name)) return false;
    if ((await this.sync.staleDocuments(userId, projectId)).size > 0) return true;
    this.rebuilding.delete(name);
    return false;
  }

  /** Brings the index of one project to what its files are. @returns how many documents differ */
  async repair({ userId, projectId }: Owned): Promise<number> {
    const call = this.callOf(userId);
    const stale = await this.sync.staleDocuments(userId, projectId);
    const [files, index] = [await this.files(projectId, call), await this.indexed(projectId, call)];
    const paths = [...new Set([...files.keys(), ...index.keys()])];
    const different = paths.filter((path) => files.get(path) !== index.get(path) && !stale.has(path));
    await this.index({ userId, projectId }, different);
    return different.length;
  }

  /** Makes the index of a project anew. @returns how many documents it has. @throws DownstreamError while chroma is away */
  async rebuild({ userId, projectId }: Owned): Promise<number> {
    const call = this.callOf(userId);
    const files = await this.files(projectId, call);
    await this.chroma.dropProject({ params: { project_id: projectId } }, call);
    await this.index({ userId, projectId }, [...files.keys()]);
    return files.size;
  }

  /** Every project that filesystem has. */
  async projects(): Promise<Owned[]> {
    const held = await this.all((query) => this.filesystem.inventory({ query }, this.callOf()));
    return held.map(({ user_id, project_id }) => ({ userId: user_id, projectId: project_id }));
  }

  private async index(project: Owned, paths: readonly string[]): Promise<void> {
    if (paths.length === 0) return;
    this.rebuilding.add(`${project.userId}/${project.projectId}`);
    for (let at = 0; at < paths.length; at += PAGE) await this.sync.index(project, paths.slice(at, at + PAGE));
    this.log.warn({ project: project.projectId, documents: paths.length }, 'The index of a project is brought in step');
  }

  private async watch(): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      await this.look().catch((error: unknown) => {
        if (!(error instanceof DownstreamError)) this.log.error({ err: error }, 'Files and index were not compared');
      });
      await sleep(this.config.documents.compare_ms, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  /** Compares everything where one of the two servers is not the one that was compared last. */
  private async look(): Promise<void> {
    const clients = ['filesystem', 'chroma'].map((name) => this.services.get(name));
    // Before anybody has asked them something there is nothing to compare.
    if (clients.some((client) => client?.instance === undefined)) return;
    for (const client of clients) await client?.lookUp();
    const [files, index] = clients.map((client) => client?.instance);
    const instances = `${files} ${index}`;
    const isDue = performance.now() - this.comparedAtMs > COMPARE_ALL_MS;
    if (instances === this.compared && !isDue) return;
    await this.compareAll();
    this.compared = instances;
    this.comparedAtMs = performance.now();
  }

  private async compareAll(): Promise<void> {
    const files = await this.all((query) => this.filesystem.inventory({ query }, this.callOf()));
    const index = await this.all((query) => this.chroma.inventory({ query }, this.callOf()));
    const digests = new Map(index.map((held) => [nameOf(held), held.digest]));
    for (const held of files) {
      if (digests.get(nameOf(held)) === held.digest) continue;
      await this.repair({ userId: held.user_id, projectId: held.project_id });
    }
    const known = new Set(files.map(nameOf));
    for (const held of index) {
      if (!known.has(nameOf(held))) await this.repair({ userId: held.user_id, projectId: held.project_id });
    }
  }

  private async all(ask: (query: { after?: string }) => Promise<Inventory>): Promise<Held[]> {
    const held: Held[] = [];
    for (let after: string | null | undefined; after !== null;) {
      const page: Inventory = await ask(after === undefined ? {} : { after });
      held.push(...page.projects);
      after = page.next;
    }
    return held;
  }

  /** The version of each document; none where there is no such project any more. */
  private async files(projectId: string, call: CallContext): Promise<Map<string, string>> {
    const params = { project_id: projectId };
    return this.versions((offset) =>
      this.filesystem.listDocuments({ params, query: { prefix: '', limit: PAGE, offset } }, call),
    ).catch((error: unknown) => {
      if (error instanceof DownstreamError && error.status === 404) return new Map<string, string>();
      throw error;
    });
  }

  private indexed(projectId: string, call: CallContext): Promise<Map<string, string>> {
    const params = { project_id: projectId };
    return this.versions((offset) => this.chroma.versions({ params, query: { limit: PAGE, offset } }, call));
  }

  private async versions(
    ask: (offset: number) => Promise<{ documents: { path: string; version: string }[]; total: number }>,
  ): Promise<Map<string, string>> {
    const versions = new Map<string, string>();
    for (let offset = 0, total = Infinity; offset < total; offset += PAGE) {
      const page = await ask(offset);
      total = page.total;
      for (const { path, version } of page.documents) versions.set(path, version);
    }
    return versions;
  }

  private callOf(userId?: string): CallContext {
    const deadlineMs = performance.now() + CALL_MS;
    return { requestId: 'index-repair', signal: this.stopping.signal, deadlineMs, ...(userId && { userId }) };
  }
}

const nameOf = ({ user_id, project_id }: Held) => `${user_id}/${project_id}`;

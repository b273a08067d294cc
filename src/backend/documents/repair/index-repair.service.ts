import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { InjectConfig } from '../../../config/config.module.js';
import type { Config } from '../../../config/config.schema.js';
import type { ChromaCopy } from '../../../downstream/chroma/chroma.copies.js';
import { topicAt } from '../../../outbox/outbox.service.js';
import { ServiceRegistry } from '../../../resilience/service-registry.js';
import { IndexCopies } from '../../copies/copies.module.js';
import { DocumentSync } from '../document-sync.service.js';
import { StoreWatch } from './store-watch.js';
import { callOf, nameOf, type Owned, ownerOf, StoredVersions } from './stored-versions.service.js';

const BATCH = 1000;
const REBUILT_POLL_MS = 1000;

/**
 * Synchronises each index with the files after one of the stores was lost or restored from a backup, and fills the index of
 * a new chroma server. It compares the documents that filesystem and chroma have of each project, and queues the
 * differences in the outbox, like any change.
 */
@Injectable()
export class IndexRepair implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly rebuilding = new Set<string>();
  private readonly stopping = new AbortController();
  private watches: StoreWatch[] = [];

  constructor(
    @InjectConfig() private readonly config: Config,
    private readonly stored: StoredVersions,
    private readonly indexes: IndexCopies,
    private readonly sync: DocumentSync,
    private readonly services: ServiceRegistry,
    private readonly log: PinoLogger,
  ) {}

  onApplicationBootstrap(): void {
    const filesystem = this.services.get('filesystem');
    this.indexes.isBehind = (endpoint, userId, projectId) =>
      this.rebuilding.has(rebuiltName({ userId, projectId }, endpoint));
    this.watches = this.indexes.all.map(
      (copy) =>
        new StoreWatch(
          {
            what: `filesystem and ${copy.connection.title}`,
            clients: [...(filesystem ? [filesystem] : []), copy.connection],
            // Searches prefer an index that was compared.
            atOnce: this.indexes.areSeveral,
            compare: (signal) => this.compareAll(copy, signal),
            lookMs: this.config.documents.compare_ms,
          },
          this.log,
        ),
    );
  }

  async onApplicationShutdown(): Promise<void> {
    this.stopping.abort();
    await Promise.all(this.watches.map((watch) => watch.stop()));
  }

  /**
   * Whether the index of a project is being rebuilt; search uses the full text meanwhile.
   * @param endpoint on this one of several servers
   */
  async isRebuilding(userId: string, projectId: string, endpoint?: string): Promise<boolean> {
    const name = rebuiltName({ userId, projectId }, endpoint);
    if (!this.rebuilding.has(name)) return false;
    if ((await this.indexes.waiting(endpoint, userId, projectId)) > 0) return true;
    this.rebuilding.delete(name);
    return false;
  }

  /**
   * Rebuilds the index of a project. A server that does not answer rebuilds its own when it does.
   * @returns the number of its documents
   * @throws DownstreamError while no chroma server is available
   */
  async rebuild(project: Owned): Promise<number> {
    const { signal } = this.stopping;
    const files = await this.stored.ofFiles(project, signal);
    const params = { project_id: project.projectId };
    const drops = await Promise.allSettled(
      this.indexes.all.map(({ client }) => client.dropProject({ params }, callOf(project.userId, signal))),
    );
    const [first] = drops;
    if (first?.status === 'rejected' && drops.every(({ status }) => status === 'rejected')) throw first.reason;
    const paths = files.map(({ path }) => path);
    for (const [i, copy] of this.indexes.all.entries()) {
      await this.index(project, copy, paths, { anew: drops[i]?.status === 'rejected' });
    }
    return files.length;
  }

  /** All projects on the filesystem server. */
  async projects(): Promise<Owned[]> {
    return (await this.stored.projects(this.stopping.signal)).map(ownerOf);
  }

  /** Synchronises the index of one project with its files. @param endpoint on this one of several servers */
  async repair(project: Owned, endpoint?: string): Promise<void> {
    const copy = this.indexes.all.find((one) => one.endpoint === endpoint);
    if (copy !== undefined) await this.repairAt(copy, project, this.stopping.signal);
  }

  private async repairAt(copy: ChromaCopy, project: Owned, signal: AbortSignal): Promise<void> {
    const { endpoint, client } = copy;
    const stale = await this.sync.staleDocuments(project.userId, project.projectId, { endpoint });
    const files = byPath(await this.stored.ofFiles(project, signal));
    const index = byPath(await this.stored.ofIndex(client, project, signal));
    const paths = [...new Set([...files.keys(), ...index.keys()])];
    await this.index(
      project,
      copy,
      paths.filter((path) => files.get(path) !== index.get(path) && !stale.has(path)),
    );
  }

  private async index(project: Owned, copy: ChromaCopy, paths: readonly string[], { anew = false } = {}) {
    if (paths.length === 0) return;
    const { endpoint, connection } = copy;
    this.rebuilding.add(rebuiltName(project, endpoint));
    const how = { topics: [topicAt('index', endpoint)], anew };
    for (let at = 0; at < paths.length; at += BATCH) await this.sync.index(project, paths.slice(at, at + BATCH), how);
    void this.untilRebuilt(project, endpoint);
    const fields = { project: project.projectId, documents: paths.length, server: connection.title };
    this.log.warn(fields, 'The index of a project is brought in step');
  }

  /** Notices the end of a rebuild: later changes that wait for the index are none. */
  private async untilRebuilt({ userId, projectId }: Owned, endpoint: string | undefined): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted && (await this.isRebuilding(userId, projectId, endpoint).catch(() => true))) {
      await sleep(REBUILT_POLL_MS, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  private async compareAll(copy: ChromaCopy, signal: AbortSignal): Promise<true> {
    const { instance } = copy.connection;
    const files = await this.stored.projects(signal);
    const index = await this.stored.inventory(copy.client, signal);
    const digests = new Map(index.map((held) => [nameOf(held), held.digest]));
    for (const held of files) {
      if (digests.get(nameOf(held)) !== held.digest) await this.repairAt(copy, ownerOf(held), signal);
    }
    const known = new Set(files.map(nameOf));
    for (const held of index) if (!known.has(nameOf(held))) await this.repairAt(copy, ownerOf(held), signal);
    this.indexes.wasCompared(copy, instance);
    return true;
  }
}

const byPath = (versions: readonly { path: string; version: string }[]) =>
  new Map(versions.map(({ path, version }) => [path, version]));

const rebuiltName = ({ userId, projectId }: Owned, endpoint = '') => `${endpoint} ${userId}/${projectId}`;

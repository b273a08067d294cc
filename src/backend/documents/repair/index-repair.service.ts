import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { InjectConfig } from '../../../config/config.module.js';
import type { Config } from '../../../config/config.schema.js';
import { ChromaClient } from '../../../downstream/chroma/chroma.client.js';
import { ServiceRegistry } from '../../../resilience/service-registry.js';
import { DocumentSync } from '../document-sync.service.js';
import { StoreWatch } from './store-watch.js';
import { callOf, nameOf, type Owned, ownerOf, StoredVersions } from './stored-versions.service.js';

const BATCH = 1000;

/**
 * Synchronises the index with the files after one of the two stores was lost or restored from a backup. It compares the
 * documents that filesystem and chroma have of each project, and queues the differences in the outbox, like any change.
 */
@Injectable()
export class IndexRepair implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly rebuilding = new Set<string>();
  private readonly stopping = new AbortController();
  private watch: StoreWatch | undefined;

  constructor(
    @InjectConfig() private readonly config: Config,
    private readonly stored: StoredVersions,
    private readonly chroma: ChromaClient,
    private readonly sync: DocumentSync,
    private readonly services: ServiceRegistry,
    private readonly log: PinoLogger,
  ) {}

  onApplicationBootstrap(): void {
    this.watch = new StoreWatch(
      this.services,
      ['filesystem', 'chroma'],
      (signal) => this.compareAll(signal),
      this.config.documents.compare_ms,
      this.log,
    );
  }

  async onApplicationShutdown(): Promise<void> {
    this.stopping.abort();
    await this.watch?.stop();
  }

  /** Whether the index of a project is being rebuilt; search uses the full text meanwhile. */
  async isRebuilding(userId: string, projectId: string): Promise<boolean> {
    const name = `${userId}/${projectId}`;
    if (!this.rebuilding.has(name)) return false;
    if ((await this.sync.staleDocuments(userId, projectId)).size > 0) return true;
    this.rebuilding.delete(name);
    return false;
  }

  /**
   * Rebuilds the index of a project.
   * @returns the number of its documents
   * @throws DownstreamError while chroma is unavailable
   */
  async rebuild(project: Owned): Promise<number> {
    const { signal } = this.stopping;
    const files = await this.stored.ofFiles(project, signal);
    await this.chroma.dropProject({ params: { project_id: project.projectId } }, callOf(project.userId, signal));
    await this.index(
      project,
      files.map(({ path }) => path),
    );
    return files.length;
  }

  /** All projects on the filesystem server. */
  async projects(): Promise<Owned[]> {
    return (await this.stored.inventory('filesystem', this.stopping.signal)).map(ownerOf);
  }

  /** Synchronises the index of one project with its files. */
  async repair(project: Owned, signal: AbortSignal = this.stopping.signal): Promise<void> {
    const stale = await this.sync.staleDocuments(project.userId, project.projectId);
    const files = byPath(await this.stored.ofFiles(project, signal));
    const index = byPath(await this.stored.ofIndex(project, signal));
    const paths = [...new Set([...files.keys(), ...index.keys()])];
    await this.index(
      project,
      paths.filter((path) => files.get(path) !== index.get(path) && !stale.has(path)),
    );
  }

  private async index(project: Owned, paths: readonly string[]): Promise<void> {
    if (paths.length === 0) return;
    this.rebuilding.add(`${project.userId}/${project.projectId}`);
    for (let at = 0; at < paths.length; at += BATCH) await this.sync.index(project, paths.slice(at, at + BATCH));
    this.log.warn({ project: project.projectId, documents: paths.length }, 'The index of a project is brought in step');
  }

  private async compareAll(signal: AbortSignal): Promise<void> {
    const files = await this.stored.inventory('filesystem', signal);
    const index = await this.stored.inventory('chroma', signal);
    const digests = new Map(index.map((held) => [nameOf(held), held.digest]));
    for (const held of files) {
      if (digests.get(nameOf(held)) !== held.digest) await this.repair(ownerOf(held), signal);
    }
    const known = new Set(files.map(nameOf));
    for (const held of index) if (!known.has(nameOf(held))) await this.repair(ownerOf(held), signal);
  }
}

const byPath = (versions: readonly { path: string; version: string }[]) =>
  new Map(versions.map(({ path, version }) => [path, version]));

import { randomUUID } from 'node:crypto';
import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { InjectConfig } from '../../../config/config.module.js';
import type { Config } from '../../../config/config.schema.js';
import { GitClient } from '../../../downstream/git/git.client.js';
import { ServiceRegistry } from '../../../resilience/service-registry.js';
import { HistoryCopies } from '../../copies/copies.module.js';
import type { CommitPayload } from '../delivery/commit-delivery.js';
import { DocumentSync } from '../document-sync.service.js';
import { HistoryComparison } from './history-comparison.service.js';
import { StoreWatch } from './store-watch.js';
import { nameOf, type Owned, ownerOf, StoredVersions } from './stored-versions.service.js';

/** The version of an imported document is the name of its commit. */
const IMPORTED = /^[0-9a-f]{40}(?:[0-9a-f]{24})?$/;
const AUTHOR = { name: 'Caudex', email: '' };

/**
 * Synchronises the history with the files after the git store was lost or restored from a backup. It commits the
 * current version of each document that the history lacks, and the deletion of each document that no longer exists.
 * Earlier versions that were lost with the store cannot be restored. Of several git servers, each first gets what the
 * others have.
 */
@Injectable()
export class HistoryRepair implements OnApplicationBootstrap, OnApplicationShutdown {
  private watch: StoreWatch | undefined;

  constructor(
    @InjectConfig() private readonly config: Config,
    private readonly stored: StoredVersions,
    private readonly histories: HistoryCopies,
    private readonly comparison: HistoryComparison,
    private readonly sync: DocumentSync,
    private readonly services: ServiceRegistry,
    private readonly log: PinoLogger,
  ) {}

  onApplicationBootstrap(): void {
    const filesystem = this.services.get('filesystem');
    this.watch = new StoreWatch(
      {
        what: 'filesystem and git',
        clients: [...(filesystem ? [filesystem] : []), ...this.histories.all.map(({ connection }) => connection)],
        // Reads prefer a history that was compared.
        atOnce: this.histories.areSeveral,
        compare: (signal) => (this.histories.areSeveral ? this.compareCopies(signal) : this.compareOnlyOne(signal)),
        lookMs: this.config.documents.compare_ms,
      },
      this.log,
    );
  }

  async onApplicationShutdown(): Promise<void> {
    await this.watch?.stop();
  }

  private async compareOnlyOne(signal: AbortSignal): Promise<boolean> {
    for (const { client } of this.histories.all) await this.compareAll(client, new Set(), signal);
    return true;
  }

  /** With the files only what all servers have: one of them may have what another one has lost. */
  private async compareCopies(signal: AbortSignal): Promise<boolean> {
    const { areAllThere, isLevel, differing } = await this.comparison.compare(signal);
    const [first] = this.histories.all;
    if (areAllThere && first !== undefined) await this.compareAll(first.client, differing, signal);
    return areAllThere && isLevel;
  }

  private async compareAll(git: GitClient, skipped: ReadonlySet<string>, signal: AbortSignal): Promise<void> {
    const files = await this.stored.projects(signal);
    const history = await this.stored.inventory(git, signal);
    const digests = new Map(history.map((held) => [nameOf(held), held.digest]));
    for (const held of files) {
      const isEqual = digests.get(nameOf(held)) === held.digest;
      if (!isEqual && !skipped.has(nameOf(held))) await this.repair(git, ownerOf(held), signal);
    }
  }

  private async repair(git: GitClient, project: Owned, signal: AbortSignal): Promise<void> {
    const waiting = await this.sync.commitsWaiting(project.userId, project.projectId);
    const pending = new Set(waiting.flat().map(({ path }) => path));
    const heads = await this.stored.ofHistory(git, project, signal);
    const files = await this.stored.ofFiles(project, signal);
    const known = new Map(heads.map(({ path, version }) => [path, version]));
    const changed = files.filter(({ path, version }) => known.get(path) !== version && !pending.has(path));
    const lost = await this.stored.unknownToHistory(git, project, changed, signal);
    const paths = new Set(files.map(({ path }) => path));
    // An import lists the files of its commits before they are stored, and some of them may not be stored.
    const removed = heads.filter(
      ({ path, version }) => !paths.has(path) && !pending.has(path) && !IMPORTED.test(version),
    );
    const now = new Date().toISOString();
    const commits: CommitPayload[] = [
      ...lost.map(({ path, version, updated_at = now }) => ({
        ...{ path, version, author: AUTHOR, message: `Restore ${path}`, committed_at: updated_at },
      })),
      ...removed.map(({ path }) => ({
        ...{ path, version: randomUUID(), text: null, author: AUTHOR },
        ...{ message: `Delete ${path}`, committed_at: now },
      })),
    ];
    if (commits.length === 0) return;
    await this.sync.commitAll(project, commits);
    this.log.warn(
      { project: project.projectId, documents: commits.length },
      'History is brought in step with the files',
    );
  }
}

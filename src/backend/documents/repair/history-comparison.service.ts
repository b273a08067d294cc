import { Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import type { GitCopy } from '../../../downstream/git/git.copies.js';
import { Outbox, topicAt } from '../../../outbox/outbox.service.js';
import { DownstreamError } from '../../../resilience/policy/downstream-error.js';
import { HISTORY_FILL, HistoryCopies } from '../../copies/copies.module.js';
import { fillEntry } from '../delivery/history-fill.js';
import { type Held, nameOf, type Owned, ownerOf, StoredVersions } from './stored-versions.service.js';

/** The versions of all projects on one server. */
interface Inventoried {
  copy: GitCopy;
  instance: string | undefined;
  projects: ReadonlyMap<string, Held>;
}

interface Compared {
  areAllThere: boolean;
  isLevel: boolean;
  differing: ReadonlySet<string>;
}

/**
 * Compares the versions on several git servers: those that were away, and new ones, get from another one what they lack.
 */
@Injectable()
export class HistoryComparison {
  /** By project, the starts and digests for which its levelling was queued. */
  private readonly levelled = new Map<string, string>();

  constructor(
    private readonly stored: StoredVersions,
    private readonly histories: HistoryCopies,
    private readonly outbox: Outbox,
    private readonly log: PinoLogger,
  ) {}

  /**
   * @returns whether all servers answered and have what they can get from each other, and the names of the projects of which
   * they have different versions
   */
  async compare(signal: AbortSignal): Promise<Compared> {
    const found = await Promise.all(this.histories.all.map((copy) => this.inventoried(copy, signal)));
    const there = found.filter((one) => one !== undefined);
    const differing = new Set<string>();
    let isLevel = true;
    for (const held of new Map(there.flatMap(({ projects }) => [...projects])).values()) {
      const name = nameOf(held);
      if (new Set(there.map(({ projects }) => projects.get(name)?.digest)).size === 1) continue;
      differing.add(name);
      if (!(await this.level(ownerOf(held), name, there))) isLevel = false;
    }
    for (const name of this.levelled.keys()) if (!differing.has(name)) this.levelled.delete(name);
    for (const { copy, instance } of there) this.histories.wasCompared(copy, instance);
    return { areAllThere: there.length === found.length, isLevel, differing };
  }

  /**
   * Queues what makes the versions on the other servers the same as on the one with the most.
   * @returns whether that was done before, and has changed nothing: one of them must not have what another one has
   */
  private async level(project: Owned, name: string, there: readonly Inventoried[]): Promise<boolean> {
    const state = there.map(({ instance, projects }) => `${instance} ${projects.get(name)?.digest}`).join();
    const wasDone = this.levelled.get(name) === state;
    this.levelled.set(name, state);

    const countOf = ({ projects }: Inventoried) => projects.get(name)?.documents ?? 0;
    const most = there.reduce((best, one) => (countOf(one) > countOf(best) ? one : best));
    let isWaiting = false;
    for (const one of there) {
      if (one.projects.get(name)?.digest === most.projects.get(name)?.digest) continue;
      if (await this.isFilling(project, one.copy)) isWaiting = true;
      else if (!wasDone) await this.fill(project, one.copy, most.copy);
    }
    return wasDone && !isWaiting;
  }

  /** Gives the other servers what one has after an import, which runs on that one only. */
  async spread(project: Owned, from: GitCopy): Promise<void> {
    for (const to of this.histories.all) if (to !== from) await this.fill(project, to, from);
  }

  private async isFilling({ userId, projectId }: Owned, to: GitCopy): Promise<boolean> {
    return (await this.outbox.store.counts([topicAt(HISTORY_FILL, to.endpoint)], userId, projectId)).size > 0;
  }

  private async fill(project: Owned, to: GitCopy, from: GitCopy): Promise<void> {
    await this.outbox.send([fillEntry(project, { to, from })]);
    const servers = { to: to.connection.title, from: from.connection.title };
    this.log.warn({ project: project.projectId, ...servers }, 'A git server gets the history of a project');
  }

  /** Undefined while the server is away. */
  private async inventoried(copy: GitCopy, signal: AbortSignal): Promise<Inventoried | undefined> {
    const { instance } = copy.connection;
    try {
      const held = await this.stored.versionInventory(copy.client, signal);
      return { copy, instance, projects: new Map(held.map((one) => [nameOf(one), one])) };
    } catch (error) {
      if (error instanceof DownstreamError) return undefined;
      throw error;
    }
  }
}

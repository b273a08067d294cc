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

/**
 * Compares the versions on several git servers: those that were away, and new ones, get from another one what they lack.
 */
@Injectable()
export class HistoryComparison {
  constructor(
    private readonly stored: StoredVersions,
    private readonly histories: HistoryCopies,
    private readonly outbox: Outbox,
    private readonly log: PinoLogger,
  ) {}

  /** @returns whether all servers answered, and the names of the projects of which they have different versions */
  async compare(signal: AbortSignal): Promise<{ areAllThere: boolean; differing: ReadonlySet<string> }> {
    const found = await Promise.all(this.histories.all.map((copy) => this.inventoried(copy, signal)));
    const there = found.filter((one) => one !== undefined);
    const differing = new Set<string>();
    for (const held of new Map(there.flatMap(({ projects }) => [...projects])).values()) {
      const name = nameOf(held);
      if (new Set(there.map(({ projects }) => projects.get(name)?.digest)).size === 1) continue;
      differing.add(name);
      await this.level(ownerOf(held), name, there);
    }
    for (const { copy, instance } of there) this.histories.wasCompared(copy, instance);
    return { areAllThere: there.length === found.length, differing };
  }

  /** Queues what makes the versions on the other servers the same as on the one with the most. */
  private async level(project: Owned, name: string, there: readonly Inventoried[]): Promise<void> {
    const countOf = ({ projects }: Inventoried) => projects.get(name)?.documents ?? 0;
    const most = there.reduce((best, one) => (countOf(one) > countOf(best) ? one : best));
    for (const one of there) {
      if (one.projects.get(name)?.digest === most.projects.get(name)?.digest) continue;
      await this.fill(project, one.copy, most.copy);
    }
  }

  /** Gives the other servers what one has after an import, which runs on that one only. */
  async spread(project: Owned, from: GitCopy): Promise<void> {
    for (const to of this.histories.all) if (to !== from) await this.fill(project, to, from);
  }

  private async fill(project: Owned, to: GitCopy, from: GitCopy): Promise<void> {
    const topic = topicAt(HISTORY_FILL, to.endpoint);
    const waiting = await this.outbox.store.counts([topic], project.userId, project.projectId);
    if (waiting.size > 0) return;
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

import { setTimeout as sleep } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import type { ProjectKey } from '../../../../text/lexical-index.js';
import { reanalyse } from '../../../../text/reanalysis.js';
import type { Changes } from './changes.js';
import type { ChangedProject, DocumentFeed } from './document-feed.js';
import { type CurrentIndex, FullText } from './full-text.js';
import type { LocalIndex, Position } from './local-index.js';
import type { ProjectFollower } from './project-follower.js';

/** How long a search waits for the changes that the index lacks; then it searches what there is. */
const PATIENCE_MS = 1500;
/** How long the index waits for further changes of this process. */
const TOGETHER_MS = 50;
/** How often the database is asked for changes that no search has asked for. */
const POLL_MS = 1000;

/**
 * A {@link LocalIndex} of this process that follows the documents in the database: in the background, and before each search
 * up to the newest change.
 */
export class FollowingFullText extends FullText {
  private readonly log = new Logger('Filesystem');
  private readonly running = new Map<string, Promise<void>>();
  private readonly failing = new Map<string, ProjectKey>();
  private readonly waiting = new Map<string, NodeJS.Timeout>();
  private readonly stopping = new AbortController();
  private polling: Promise<void> = Promise.resolve();
  private incarnation: string | undefined;
  private since: string | null = null;

  constructor(
    private readonly feed: DocumentFeed,
    private readonly local: LocalIndex,
    private readonly follower: ProjectFollower,
    private readonly changes: Changes,
  ) {
    super();
  }

  async current(key: ProjectKey): Promise<CurrentIndex> {
    const { index } = this.local;
    const newest = await this.feed.position(key);
    if (newest === undefined || this.isAt(key, newest)) return { index };
    const patience = new AbortController();
    const caughtUp = this.reach(key, newest, patience.signal);
    await Promise.race([caughtUp, sleep(PATIENCE_MS, undefined, { signal: patience.signal })]).catch(() => undefined);
    patience.abort();
    if (this.covers(key, newest)) return { index };
    const existing = (paths: readonly string[]) => this.feed.existing(key, paths);
    return { index, behind: { documents: await this.missing(key), existing } };
  }

  start(): void {
    this.changes.listen((key) => this.followSoon(key));
    this.polling = this.poll();
    void this.reanalyse().catch((error: unknown) => {
      if (!this.stopping.signal.aborted)
        this.log.error({ err: error }, 'Documents of an earlier version of the analysis stay as they are');
    });
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    this.changes.listen(() => undefined);
    for (const timer of this.waiting.values()) clearTimeout(timer);
    await this.polling;
    await Promise.allSettled(this.running.values());
    this.local.close();
  }

  /** The index is ahead where the database lost changes. */
  private isAt(key: ProjectKey, { change, incarnation }: Position): boolean {
    const at = this.local.position(key);
    return at?.incarnation === incarnation && at.change === change;
  }

  private covers(key: ProjectKey, { change, incarnation }: Position): boolean {
    const at = this.local.position(key);
    return at !== undefined && at.incarnation === incarnation && at.change >= change;
  }

  /** A run that began before the change was committed may not have seen it, so another may be needed. */
  private async reach(key: ProjectKey, newest: Position, signal: AbortSignal): Promise<void> {
    do await this.follow(key);
    while (!this.covers(key, newest) && !signal.aborted && !this.stopping.signal.aborted);
  }

  /** Brings the index of a project to the state of the database, once at a time. A failure is told once, until it ends. */
  private follow(key: ProjectKey): Promise<void> {
    const name = nameOf(key);
    let run = this.running.get(name);
    if (run === undefined) {
      run = this.follower
        .run(key, this.stopping.signal)
        .then(
          () => void this.failing.delete(name),
          (error: Error) => {
            if (!this.failing.has(name)) this.log.warn(`The full-text index of ${name} waits: ${error.message}`);
            this.failing.set(name, key);
            throw error;
          },
        )
        .finally(() => this.running.delete(name));
      this.running.set(name, run);
    }
    return run;
  }

  /** Changes that follow each other closely are taken over together; a search does not wait for it. */
  private followSoon(key: ProjectKey): void {
    const name = nameOf(key);
    if (this.waiting.has(name)) return;
    const timer = setTimeout(() => {
      this.waiting.delete(name);
      void this.follow(key).catch(() => undefined);
    }, TOGETHER_MS);
    this.waiting.set(name, timer);
  }

  private async missing(key: ProjectKey): Promise<number> {
    const at = this.local.position(key);
    const { documents, changed } = await this.feed.counts(key, at?.change ?? -1);
    return Math.max(1, at === undefined ? documents - this.local.documents(key) : changed);
  }

  private async poll(): Promise<void> {
    const { signal } = this.stopping;
    for (let away = false; !signal.aborted;) {
      try {
        await this.followAll();
        away = false;
      } catch (error) {
        if (!away && !signal.aborted) this.log.warn(`The full-text index waits: ${(error as Error).message}`);
        away = true;
      }
      await sleep(POLL_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  /** All projects at the start and after the database was restarted or replaced, later those that changed. */
  private async followAll(): Promise<void> {
    const { incarnation, settled } = await this.feed.clock();
    const isAll = incarnation !== this.incarnation;
    const projects = await this.feed.changedProjects(isAll ? null : this.since);
    if (isAll) this.dropOthers(projects);
    for (const { key, change } of projects) {
      if (this.stopping.signal.aborted) return;
      const isBehind = change === undefined ? this.local.knows(key) : !this.isAt(key, { change, incarnation });
      if (isBehind) await this.follow(key).catch(() => undefined);
    }
    for (const key of this.failing.values()) await this.follow(key).catch(() => undefined);
    this.since = settled;
    this.incarnation = incarnation;
  }

  private dropOthers(projects: readonly ChangedProject[]): void {
    const known = new Set(projects.map(({ key }) => nameOf(key)));
    for (const key of this.local.projects()) {
      if (!known.has(nameOf(key))) this.local.drop(key);
    }
  }

  private async reanalyse(): Promise<void> {
    const documents = await reanalyse(this.local.index, (key, analysed, isCurrent) => {
      this.local.refresh(key, analysed, isCurrent);
      return Promise.resolve();
    });
    if (documents > 0) this.log.log(`${documents} documents of an earlier version of the analysis were analysed anew`);
  }
}

const nameOf = ({ userId, projectId }: ProjectKey) => JSON.stringify([userId, projectId]);

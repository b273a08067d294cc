import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DatabaseSync } from 'node:sqlite';
import { Inject, Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { InjectConfig } from '../../../../config/config.module.js';
import type { Config } from '../../../../config/config.schema.js';
import { badRequest, Problem } from '../../../../http/problem.js';
import { Semaphore } from '../../../../http/semaphore.js';
import { guarded } from '../../../../resilience/policy/guarded.js';
import { transaction } from '../../../../storage/sqlite.js';
import { pathFault } from '../../../../contract/document-path.js';
import { GitError, isObjectName } from './git-command.js';
import { GraphFeed } from '../graph/graph-feed.js';
import { type Change, Repository } from './repository.js';
import type { ProjectKey } from '../project-key.js';
import { type StoredVersion, VersionStore, type Which } from './version-store.js';

/** How `git fast-import` ends when another git has the branch, or has moved it. */
const BRANCH_BUSY = 1;
/** Together longer than a lock is taken for a living git's. */
const OUTLIVING_TRIES = 30;
const OUTLIVING_MS = 50;
/** A wait and a read that takes as long as it may fit into the caller's limit together. */
const READERS = { concurrent: 4, perUser: 2, waiting: 60, waitMs: 5000 };
/** Longer than the time limit of each git process, which answers by itself. */
const READ_TIMEOUT_MS = 60_000;
/** A diff longer than this is cut off. */
const MAX_DIFF_CHARS = 4000;

/** History: one repository for each user and project, written by one change at a time. */
@Injectable()
export class GitService {
  private readonly queues = new Map<string, Promise<unknown>>();
  private readonly readers = new Semaphore(READERS, 'reads of the history');
  /**
   * Repositories whose newest commit is one that this process wrote down. Of the others that isn't known: a process may have
   * died between a commit and its row, and then the newest commit carries the version already.
   */
  private readonly settled = new LRUCache<string, true>({ max: 10_000 });

  constructor(
    @InjectConfig() private readonly config: Config,
    @Inject(DatabaseSync) private readonly db: DatabaseSync,
    private readonly versions: VersionStore,
    private readonly feed: GraphFeed,
  ) {}

  /** @throws Problem 400 for a path that is no document's, 410 for a project that was dropped */
  async commit(project: ProjectKey, change: Change): Promise<{ commit: string; version: string }> {
    const fault = pathFault(change.path);
    if (fault !== undefined) throw badRequest('invalid_path', `path: ${fault}`);
    const commit = await this.inTurn(project, async () => {
      this.requireAlive(project);
      const known = this.versions.find(project, change.version, change.path);
      if (known !== undefined) return known.commit;
      const last = this.versions.last(project, change.path);
      // There is nothing left to delete.
      if (change.text === null && last?.deleted === true) return last.commit;
      return this.write(project, change);
    });
    await this.feed.catchUp(project);
    return { commit, version: change.version };
  }

  history(project: ProjectKey, page: Which & { limit: number; offset: number }) {
    return this.versions.list(project, page);
  }

  async changes(project: ProjectKey, which: Which & { limit: number }, deadlineMs: number) {
    const listed = this.versions.list(project, { ...which, offset: 0 });
    const versions = listed.versions.filter(({ commit }) => isObjectName(commit));
    const repository = this.repository(project);
    return Promise.all(
      versions.map(async (version) => {
        const diff = await this.reading(project, deadlineMs, (signal) =>
          repository.changeOf(version.commit, version.path, signal),
        );
        return { ...version, diff: diff.length <= MAX_DIFF_CHARS ? diff : `${diff.slice(0, MAX_DIFF_CHARS)}\n…` };
      }),
    );
  }

  /** @throws Problem 404 */
  async textAt(project: ProjectKey, path: string, version: string, deadlineMs: number): Promise<string | null> {
    const found = this.require(project, path, version);
    if (found.deleted) return null;
    return this.reading(project, deadlineMs, (signal) => this.repository(project).textAt(found.commit, path, signal));
  }

  async diff(project: ProjectKey, path: string, from: string, to: string, deadlineMs: number): Promise<string> {
    const [before, after] = [this.require(project, path, from), this.require(project, path, to)];
    return this.reading(project, deadlineMs, (signal) =>
      this.repository(project).diff(before.commit, after.commit, path, signal),
    );
  }

  async blame(project: ProjectKey, path: string, version: string | undefined, deadlineMs: number) {
    const found = version === undefined ? this.versions.latest(project, path) : this.require(project, path, version);
    if (found === undefined || found.deleted || !isObjectName(found.commit))
      throw versionNotFound(path, version ?? 'the newest');
    const lines = await this.reading(project, deadlineMs, (signal) =>
      this.repository(project).blame(found.commit, path, signal),
    );
    const authors = new Map<string, StoredVersion>();
    return lines.map(({ commit, text }, index) => {
      const by = authors.get(commit) ?? this.versions.byHash(project, commit) ?? found;
      authors.set(commit, by);
      return { line: index + 1, text, version: by.version, author: by.author, committed_at: by.committed_at };
    });
  }

  drop(project: ProjectKey): Promise<boolean> {
    return this.inTurn(project, async () => {
      const removed = transaction(this.db, () => {
        this.feed.addDrop(project);
        return this.versions.drop(project);
      });
      this.settled.delete(nameOf(project));
      await this.repository(project).remove();
      await this.feed.catchUp(project);
      return removed;
    });
  }

  /**
   * Writes down versions, what the graph is to learn of them, and for an import how many commits were new, all or none.
   */
  record(project: ProjectKey, versions: readonly StoredVersion[], importId?: string): void {
    transaction(this.db, () => {
      const commits = new Set<string>();
      for (const version of versions) {
        const seq = this.versions.add(project, version);
        if (seq === null) continue;
        this.feed.add(project, seq);
        commits.add(version.commit);
      }
      if (importId !== undefined && commits.size > 0) this.versions.addImported(project, importId, commits.size);
    });
  }

  /** @throws Problem 410 */
  requireAlive(project: ProjectKey): void {
    if (!this.versions.isDropped(project)) return;
    throw new Problem({ status: 410, code: 'deleted', detail: `project_id: ${project.projectId} was deleted` });
  }

  private async write(project: ProjectKey, change: Change): Promise<string> {
    const { path, version, author, message, committedAt, text } = change;
    const commit = await this.committed(project, change);
    if (text !== null) this.feed.expect(commit, path, text);
    const written = { version, path, author: author.name, email: author.email, message, committed_at: committedAt };
    this.record(project, [{ ...written, commit, deleted: text === null }]);
    this.settled.set(nameOf(project), true);
    return commit;
  }

  private async committed(project: ProjectKey, change: Change): Promise<string> {
    const repository = this.repository(project);
    let isSettled = this.settled.delete(nameOf(project));
    for (let left = OUTLIVING_TRIES; ; left--) {
      try {
        if (isSettled) return await repository.commit(change, false);
        await repository.init();
        const newest = await repository.newest();
        if (newest?.version === change.version) return newest.commit;
        return await repository.commit(change, newest === null);
      } catch (error) {
        // A git that outlived the process before this one has a commit to finish, or left its lock.
        if (!(error instanceof GitError) || error.exitCode !== BRANCH_BUSY || left === 0) throw error;
        isSettled = false;
        await sleep(OUTLIVING_MS);
      }
    }
  }

  private require(project: ProjectKey, path: string, version: string): StoredVersion {
    const found = this.versions.find(project, version, path);
    // A row from a time when a foreign history could name its commits itself.
    if (found === undefined || !isObjectName(found.commit)) throw versionNotFound(path, version);
    return found;
  }

  repository(project: ProjectKey): Repository {
    return repositoryOf(this.config.data_dir, project);
  }

  /**
   * Runs git processes for one answer: {@link READERS} says how many at a time. They end when the caller stops waiting.
   * @throws Problem 429 `saturated`; GuardError
   */
  private reading<T>(
    { userId }: ProjectKey,
    deadlineMs: number,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    return this.readers.pass(userId, () => guarded(work, { name: 'git', timeoutMs: READ_TIMEOUT_MS, deadlineMs }));
  }

  /** One change at a time to each repository. */
  async inTurn<T>(project: ProjectKey, work: () => Promise<T>): Promise<T> {
    const key = nameOf(project);
    const turn = (this.queues.get(key) ?? Promise.resolve()).then(work, work);
    const settled = turn.catch(() => undefined);
    this.queues.set(key, settled);
    await settled;
    if (this.queues.get(key) === settled) this.queues.delete(key);
    return turn;
  }
}

const nameOf = ({ userId, projectId }: ProjectKey) => `${userId}/${projectId}`;

export function repositoryOf(dataDir: string, { userId, projectId }: ProjectKey): Repository {
  return new Repository(join(dataDir, 'git', 'repositories', userId, `${projectId}.git`));
}

function versionNotFound(path: string, version: string): Problem {
  return new Problem({
    status: 404,
    code: 'version_not_found',
    detail: `version: ${JSON.stringify(version)} is no version of the document ${JSON.stringify(path)}`,
  });
}

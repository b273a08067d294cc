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
import { Bundles } from './bundles.js';
import { GitError, isObjectName } from './git-command.js';
import { GraphFeed } from '../graph/graph-feed.js';
import { type Change, type Relocation, Repository } from './repository.js';
import type { ProjectKey } from '../project-key.js';
import { type StoredVersion, VersionStore, type Which } from './version-store.js';

/** The exit code of `git fast-import` when another git process holds or has moved the branch. */
const BRANCH_BUSY = 1;
/** The retries together take longer than `STALE_LOCK_MS`, after which a lock is removed. */
const OUTLIVING_TRIES = 30;
const OUTLIVING_MS = 50;
/** The longest wait and the longest read together fit into the caller's timeout. */
const READERS = { concurrent: 4, perUser: 2, waiting: 60, waitMs: 5000 };
/** Longer than the time limit of one git process, which has an error of its own. */
const READ_TIMEOUT_MS = 60_000;
/** The most changes of one call that wait for the graph: with more the wait would only delay the next call. */
const MAX_AWAITED = 20;
/** A diff longer than this is cut off. */
const MAX_DIFF_CHARS = 4000;

/** History: one repository for each user and project, written by one change at a time. */
@Injectable()
export class GitService {
  private readonly queues = new Map<string, Promise<unknown>>();
  private readonly readers = new Semaphore(READERS, 'reads of the history');
  /**
   * By project, the newest commits without a row, by version; usually none. A process that dies between a commit and
   * its row leaves one. For a project that is not in this map they have not been read yet.
   */
  private readonly unrecorded = new LRUCache<string, Map<string, string>>({ max: 10_000 });

  constructor(
    @InjectConfig() private readonly config: Config,
    @Inject(DatabaseSync) private readonly db: DatabaseSync,
    private readonly versions: VersionStore,
    private readonly feed: GraphFeed,
  ) {}

  /**
   * Commits changes in their order, each version once: all of them or none. No two may be of one path.
   * @returns the commits' hashes, in the order of the changes
   * @throws Problem 400 for a path that is no document's, 410 for a project that was dropped
   */
  async commit(project: ProjectKey, changes: readonly Change[]): Promise<string[]> {
    for (const { path } of changes) {
      const fault = pathFault(path);
      if (fault !== undefined) throw badRequest('invalid_path', `path: ${fault}`);
    }
    const commits = await this.inTurn(project, async () => {
      this.requireAlive(project);
      const known = changes.map((change) => this.known(project, change));
      const fresh = changes.filter((_, i) => known[i] === undefined);
      const written = fresh.length === 0 ? [] : await this.write(project, fresh);
      return known.map((commit) => commit ?? (written.shift() as string));
    });
    const caughtUp = this.feed.catchUp(project);
    if (changes.length <= MAX_AWAITED) await caughtUp;
    return commits;
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
        const diff = await this.reading(project, deadlineMs, (signal) => repository.changeOf(version, signal));
        return { ...version, diff: diff.length <= MAX_DIFF_CHARS ? diff : `${diff.slice(0, MAX_DIFF_CHARS)}\n…` };
      }),
    );
  }

  /** @throws Problem 404 */
  async textAt(project: ProjectKey, path: string, version: string, deadlineMs: number): Promise<string | null> {
    const found = this.require(project, path, version);
    if (found.deleted) return null;
    return this.reading(project, deadlineMs, (signal) =>
      this.repository(project).textAt(found.commit, found.path, signal),
    );
  }

  async diff(project: ProjectKey, path: string, from: string, to: string, deadlineMs: number): Promise<string> {
    const [before, after] = [this.require(project, path, from), this.require(project, path, to)];
    return this.reading(project, deadlineMs, (signal) => this.repository(project).diff(before, after, signal));
  }

  async blame(project: ProjectKey, path: string, version: string | undefined, deadlineMs: number) {
    const found = version === undefined ? this.versions.latest(project, path) : this.require(project, path, version);
    if (found === undefined || found.deleted || !isObjectName(found.commit))
      throw versionNotFound(path, version ?? 'the newest');
    const lines = await this.reading(project, deadlineMs, (signal) =>
      this.repository(project).blame(found.commit, found.path, signal),
    );
    const authors = new Map<string, StoredVersion>();
    return lines.map(({ commit, text }, index) => {
      const by = authors.get(commit) ?? this.versions.byHash(project, commit) ?? found;
      authors.set(commit, by);
      return { line: index + 1, text, version: by.version, author: by.author, committed_at: by.committed_at };
    });
  }

  /** Writes the history to a bundle; without an id where there is none. */
  async createBundle(project: ProjectKey, deadlineMs: number): Promise<{ bundle_id: string | null; bytes: number }> {
    const bundles = new Bundles(this.repository(project));
    const made = await this.reading(project, deadlineMs, (signal) => bundles.create(signal));
    return made === undefined ? { bundle_id: null, bytes: 0 } : { bundle_id: made.id, bytes: made.bytes };
  }

  /** @throws Problem 404 */
  readBundle(project: ProjectKey, bundleId: string, offset: number): Promise<Buffer> {
    return new Bundles(this.repository(project)).read(bundleId, offset);
  }

  drop(project: ProjectKey): Promise<boolean> {
    return this.inTurn(project, async () => {
      const removed = transaction(this.db, () => {
        this.feed.addDrop(project);
        return this.versions.drop(project);
      });
      this.unrecorded.delete(nameOf(project));
      await this.repository(project).remove();
      await this.feed.catchUp(project);
      return removed;
    });
  }

  /**
   * Stores versions, the changes for the graph, and for an import the number of new commits, in one transaction.
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

  /** The commit of a version that history has, or of a deletion that has nothing left to delete. */
  private known(project: ProjectKey, { version, path, text }: Change): string | undefined {
    const known = this.versions.find(project, version, path);
    if (known !== undefined) return known.commit;
    const last = text === null ? this.versions.last(project, path) : undefined;
    return last?.deleted === true ? last.commit : undefined;
  }

  private async write(project: ProjectKey, changes: readonly Change[]): Promise<string[]> {
    const { commits, unrecorded } = await this.committed(project, changes);
    const rows = changes.map(({ path, version, author, message, committedAt, text }, i) => {
      const commit = commits[i] as string;
      if (text !== null) this.feed.expect(commit, path, text);
      const written = { version, path, author: author.name, email: author.email, message, committed_at: committedAt };
      return { ...written, commit, deleted: text === null };
    });
    this.record(project, rows);
    this.recorded(project, unrecorded, changes);
    return commits;
  }

  /** Another branch has become the history, whose commits have not been read yet. */
  historyReplaced(project: ProjectKey): void {
    this.unrecorded.delete(nameOf(project));
  }

  /** The rows of these changes were stored. */
  recorded(project: ProjectKey, unrecorded: Map<string, string>, changes: readonly { version: string }[]): void {
    for (const { version } of changes) unrecorded.delete(version);
    this.unrecorded.set(nameOf(project), unrecorded);
  }

  /** Writes what the repository lacks of some changes, without their rows. */
  async committed(
    project: ProjectKey,
    changes: readonly (Change | Relocation)[],
  ): Promise<{ commits: string[]; unrecorded: Map<string, string> }> {
    const repository = this.repository(project);
    const remembered = this.unrecorded.get(nameOf(project));
    let found = remembered && { unrecorded: remembered, isEmpty: false };
    // Until the rows are stored, the next attempt must read the commits again.
    this.unrecorded.delete(nameOf(project));
    for (let left = OUTLIVING_TRIES; ; left--) {
      try {
        const { unrecorded, isEmpty } = found ?? (await this.look(project, repository));
        const missing = changes.filter(({ version }) => !unrecorded.has(version));
        const made = missing.length === 0 ? [] : await repository.commit(missing, isEmpty);
        const commits = changes.map(({ version }) => unrecorded.get(version) ?? (made.shift() as string));
        return { commits, unrecorded };
      } catch (error) {
        // A git process of the previous server process is still committing, or has left its lock.
        if (!(error instanceof GitError) || error.exitCode !== BRANCH_BUSY || left === 0) throw error;
        found = undefined;
        await sleep(OUTLIVING_MS);
      }
    }
  }

  /** Makes the repository where there is none, and reads which of its newest commits have no row. */
  private async look(project: ProjectKey, repository: Repository) {
    await repository.init();
    const newest = await repository.newest();
    const lost = newest.filter(({ commit }) => this.versions.byHash(project, commit) === undefined);
    return {
      unrecorded: new Map(lost.map(({ commit, version }) => [version, commit])),
      isEmpty: newest.length === 0,
    };
  }

  private require(project: ProjectKey, path: string, version: string): StoredVersion {
    const found = this.versions.findMoved(project, version, path);
    // An older row: imported histories could once name their commits freely.
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

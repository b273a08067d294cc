import { join } from 'node:path';
import { Inject, Injectable } from '@nestjs/common';
import { InjectConfig } from '../../../config/config.module.js';
import type { Config } from '../../../config/config.schema.js';
import { Problem } from '../../../http/problem.js';
import { type Change, Repository } from './repository.js';
import { type ProjectKey, type StoredVersion, VersionStore } from './version-store.js';
import { GRAPH_STORE, type GraphStore } from './graph-store.js';

const PROJECT_ID = /^[A-Za-z0-9_-]{1,200}$/;

/** History: one repository for each user and project, written by one change at a time. */
@Injectable()
export class GitService {
  private readonly queues = new Map<string, Promise<unknown>>();

  constructor(
    @InjectConfig() private readonly config: Config,
    private readonly versions: VersionStore,
    @Inject(GRAPH_STORE) private readonly graph: GraphStore,
  ) {}

  /** @throws Problem 410 for a project that was dropped */
  commit(project: ProjectKey, change: Change): Promise<{ commit: string; version: string }> {
    return this.inTurn(project, async () => {
      if (this.versions.isDropped(project)) {
        throw new Problem({ status: 410, code: 'deleted', detail: `project_id: ${project.projectId} was deleted` });
      }
      const known = this.versions.find(project, change.version, change.path);
      const commit = known?.commit ?? (await this.write(project, change));
      await this.graph.apply(project, { ...change, commit });
      return { commit, version: change.version };
    });
  }

  history(project: ProjectKey, page: { path?: string | undefined; limit: number; offset: number }) {
    return this.versions.list(project, page);
  }

  /** @throws Problem 404 */
  async textAt(project: ProjectKey, path: string, version: string): Promise<string | null> {
    const found = this.require(project, path, version);
    return found.deleted ? null : this.repository(project).textAt(found.commit, path);
  }

  async diff(project: ProjectKey, path: string, from: string, to: string): Promise<string> {
    const [before, after] = [this.require(project, path, from), this.require(project, path, to)];
    return this.repository(project).diff(before.commit, after.commit, path);
  }

  async blame(project: ProjectKey, path: string, version: string | undefined) {
    const found = version === undefined ? this.versions.latest(project, path) : this.require(project, path, version);
    if (found === undefined || found.deleted) throw versionNotFound(path, version ?? 'the newest');
    const lines = await this.repository(project).blame(found.commit, path);
    return lines.map(({ commit, text }, index) => {
      const by = this.versions.byHash(project, commit) ?? found;
      return { line: index + 1, text, version: by.version, author: by.author, committed_at: by.committed_at };
    });
  }

  drop(project: ProjectKey): Promise<boolean> {
    return this.inTurn(project, async () => {
      const removed = this.versions.drop(project);
      await this.graph.drop(project);
      await this.repository(project).remove();
      return removed;
    });
  }

  /** The process may have died between a commit and its row: then the newest commit carries the version already. */
  private async write(project: ProjectKey, change: Change): Promise<string> {
    const repository = this.repository(project);
    await repository.init();
    const head = (await repository.headVersion()) === change.version ? await repository.head() : null;
    const commit = head ?? (await repository.commit(change));
    const { path, version, author, message, committedAt, text } = change;
    this.versions.add(project, {
      version,
      path,
      author: author.name,
      message,
      committed_at: committedAt,
      commit,
      deleted: text === null,
    });
    return commit;
  }

  private require(project: ProjectKey, path: string, version: string): StoredVersion {
    const found = this.versions.find(project, version, path);
    if (found === undefined) throw versionNotFound(path, version);
    return found;
  }

  private repository({ userId, projectId }: ProjectKey): Repository {
    if (!PROJECT_ID.test(projectId)) {
      throw new Problem({
        status: 400,
        code: 'invalid_request',
        detail: 'project_id: letters, digits, "_" and "-" are taken',
      });
    }
    return new Repository(join(this.config.data_dir, 'git', 'repositories', userId, `${projectId}.git`));
  }

  private async inTurn<T>({ userId, projectId }: ProjectKey, work: () => Promise<T>): Promise<T> {
    const key = `${userId}/${projectId}`;
    const turn = (this.queues.get(key) ?? Promise.resolve()).then(work, work);
    const settled = turn.catch(() => undefined);
    this.queues.set(key, settled);
    await settled;
    if (this.queues.get(key) === settled) this.queues.delete(key);
    return turn;
  }
}

function versionNotFound(path: string, version: string): Problem {
  return new Problem({
    status: 404,
    code: 'version_not_found',
    detail: `version: ${JSON.stringify(version)} is no version of the document ${JSON.stringify(path)}`,
  });
}

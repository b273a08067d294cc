import { DatabaseSync } from 'node:sqlite';
import { Inject, Injectable } from '@nestjs/common';
import { preparedBy } from '../../../../storage/statements.js';
import { transaction } from '../../../../storage/sqlite.js';
import { MAX_COMMITS, type WholeVersion } from '../../git.contract.js';
import { GraphFeed } from '../graph/graph-feed.js';
import type { ProjectKey } from '../project-key.js';
import { isObjectName } from './git-command.js';
import { GitService } from './git.service.js';
import type { ChangeOfSeveral } from './repository.js';
import { VersionStore } from './version-store.js';

const COLUMNS = 'user_id, project_id, version, path, hash, deleted, author, email, message, committed_at, moved_from';
const OF_PROJECT = 'WHERE user_id = ? AND project_id = ?';

/**
 * Takes over the history of another git server. Its versions get commits on a branch of their own and rows in a table of
 * their own, in the same order as there. At the end they replace the history of the project; versions that only this server
 * had follow them. A kill at any time leaves either history, and the rest is done when the call is repeated.
 */
@Injectable()
export class FillService {
  private readonly prepared: ReturnType<typeof preparedBy>;

  constructor(
    @Inject(DatabaseSync) private readonly db: DatabaseSync,
    private readonly git: GitService,
    private readonly versions: VersionStore,
    private readonly feed: GraphFeed,
  ) {
    this.prepared = preparedBy(db);
  }

  /** The versions behind a position with their texts, as many as fit into an answer. */
  async read(project: ProjectKey, after: number): Promise<WholeVersion[]> {
    const rows = this.versions.inOrder(project, after, MAX_COMMITS);
    // An older row: imported histories could once name their commits freely.
    const listed = rows.filter(({ commit }) => isObjectName(commit));
    const places = listed.filter(({ deleted }) => !deleted);
    const texts = places.length === 0 ? [] : await this.git.repository(project).texts(places);
    const whole: WholeVersion[] = [];
    for (const { commit: _, deleted, ...version } of listed) {
      const text = deleted ? null : texts.shift();
      if (text === undefined) break;
      whole.push({ ...version, text });
    }
    return whole;
  }

  /**
   * @returns the position of the last version that was taken; 0 at the beginning and at the end
   * @throws Problem 410 for a project that was dropped
   */
  async fill(
    project: ProjectKey,
    { source, versions, done }: { source: string; versions: readonly WholeVersion[]; done: boolean },
  ): Promise<number> {
    return this.git.inTurn(project, async () => {
      this.git.requireAlive(project);
      this.prepared(`DELETE FROM filling ${OF_PROJECT} AND source <> ?`).run(project.userId, project.projectId, source);
      await this.take(project, source, versions);
      if (done) await this.finish(project, source);
      return this.position(project);
    });
  }

  private async take(project: ProjectKey, source: string, versions: readonly WholeVersion[]): Promise<void> {
    const fresh = versions.filter(({ version, path }) => !this.isTaken(project, version, path));
    if (fresh.length === 0) return;
    const repository = this.git.repository(project);
    await repository.init();
    const commits = commitsOf(fresh);
    const hashes = await repository.commitBeside(commits, this.position(project) === 0);
    const hashOf = new Map(commits.flatMap(({ changes }, i) => changes.map((one) => [one, hashes[i] as string])));
    const { userId, projectId } = project;
    transaction(this.db, () => {
      for (const one of fresh) {
        const { position, version, path, text, author, email, message, committed_at, moved_from = null } = one;
        this.prepared(`INSERT INTO filling (source, position, ${COLUMNS}) VALUES (${'?, '.repeat(12)}?)`).run(
          ...[source, position, userId, projectId, version, path, hashOf.get(one) as string, text === null ? 1 : 0],
          ...[author, email, message, committed_at, moved_from],
        );
      }
    });
  }

  private async finish(project: ProjectKey, source: string): Promise<void> {
    if (this.position(project) === 0) return;
    await this.takeOwn(project, source);
    const repository = this.git.repository(project);
    // First: after a kill the rows still name commits of the earlier history, which are kept.
    await repository.replaceHistory();
    const { userId, projectId } = project;
    transaction(this.db, () => {
      this.feed.addDrop(project);
      for (const table of ['versions', 'heads']) {
        this.prepared(`DELETE FROM ${table} ${OF_PROJECT}`).run(userId, projectId);
      }
      this.prepared(`INSERT INTO versions (${COLUMNS}) SELECT ${COLUMNS} FROM filling ${OF_PROJECT} ORDER BY seq`).run(
        userId,
        projectId,
      );
      const added = this.prepared(`SELECT seq FROM versions ${OF_PROJECT} ORDER BY seq`).all(userId, projectId);
      for (const { seq } of added) this.feed.add(project, Number(seq));
      this.prepared(`DELETE FROM filling ${OF_PROJECT}`).run(userId, projectId);
    });
    this.git.historyReplaced(project);
    await repository.forgetBeside();
    void this.feed.catchUp(project);
  }

  /** Takes the versions that only this server has. */
  private async takeOwn(project: ProjectKey, source: string): Promise<void> {
    const position = this.position(project);
    for (let after = 0; ;) {
      const own = await this.read(project, after);
      const last = own.at(-1);
      if (last === undefined) return;
      after = last.position;
      await this.take(
        project,
        source,
        own.map((version) => ({ ...version, position })),
      );
    }
  }

  private position({ userId, projectId }: ProjectKey): number {
    const row = this.prepared(`SELECT position FROM filling ${OF_PROJECT} ORDER BY seq DESC LIMIT 1`).get(
      ...[userId, projectId],
    );
    return Number(row?.['position'] ?? 0);
  }

  private isTaken({ userId, projectId }: ProjectKey, version: string, path: string): boolean {
    const find = this.prepared(`SELECT 1 FROM filling ${OF_PROJECT} AND version = ? AND path = ?`);
    return find.get(userId, projectId, version, path) !== undefined;
  }
}

/** One commit for the neighbours of one version: a move changes several documents. */
function commitsOf(versions: readonly WholeVersion[]): (ChangeOfSeveral & { changes: WholeVersion[] })[] {
  const commits: (ChangeOfSeveral & { changes: WholeVersion[] })[] = [];
  for (const one of versions) {
    const last = commits.at(-1);
    if (last?.version === one.version) last.changes.push(one);
    else {
      const { version, author: name, email, message, committed_at: committedAt } = one;
      commits.push({ version, author: { name, email }, message, committedAt, changes: [one] });
    }
  }
  return commits;
}

import { randomUUID } from 'node:crypto';
import { Injectable, type OnModuleInit } from '@nestjs/common';
import { FilesystemClient } from '../../downstream/filesystem/filesystem.client.js';
import type { Project } from '../../downstream/filesystem/filesystem.contract.js';
import { notFound } from '../../http/problem.js';
import { Outbox } from '../../outbox/outbox.service.js';
import type { CallContext } from '../../resilience/policy/call-context.js';
import { DownstreamError } from '../../resilience/policy/downstream-error.js';
import { change } from '../call/change.js';
import { HistoryCopies, IndexCopies } from '../copies/copies.module.js';
import { Deletions } from '../call/deletions.js';
import { ProjectEvents } from './project-events.js';
import { claimedId } from '../call/claim.js';
import type { OwnerCall, UserCall } from '../call/public-call.js';
import { ProjectAccess } from './project-access.service.js';

const INDEX_DROP = 'index.drop';
const GIT_DROP = 'git.drop';

@Injectable()
export class ProjectsService implements OnModuleInit {
  constructor(
    private readonly filesystem: FilesystemClient,
    private readonly indexes: IndexCopies,
    private readonly histories: HistoryCopies,
    private readonly outbox: Outbox,
    private readonly access: ProjectAccess,
    private readonly events: ProjectEvents,
    private readonly deletions: Deletions,
  ) {}

  onModuleInit(): void {
    this.indexes.register(({ client }) => ({
      topic: INDEX_DROP,
      service: 'chroma',
      deliver: async ({ projectId }, call) => {
        const params = { project_id: String(projectId) };
        if (await this.isGone(params, call)) await client.dropProject({ params }, call);
      },
    }));
    this.histories.register(({ client }) => ({
      topic: GIT_DROP,
      service: 'git',
      deliver: async ({ projectId }, call) => {
        const params = { project_id: String(projectId) };
        if (await this.isGone(params, call)) await client.dropProject({ params }, call);
      },
    }));
  }

  async create(name: string, call: UserCall): Promise<Project> {
    const project = await this.filesystem.createProject(
      { body: { project_id: call.claim ? claimedId(call.claim, 'project') : randomUUID(), name } },
      call,
    );
    this.access.remember(project, call.userId);
    return project;
  }

  /** A key for one project sees only that project. */
  async list(page: { limit: number; offset: number }, call: UserCall) {
    if (call.key?.project_id == null) return this.filesystem.listProjects({ query: page }, call);
    const project = await this.get(call.key.project_id, call);
    return { projects: page.offset === 0 ? [project] : [], total: 1 };
  }

  get(projectId: string, call: UserCall): Promise<Project> {
    return this.filesystem.getProject({ params: { project_id: projectId } }, call);
  }

  async update(
    projectId: string,
    change: { name?: string | undefined; instructions?: string | undefined },
    call: UserCall,
  ): Promise<Project> {
    const project = await this.filesystem.updateProject({ params: { project_id: projectId }, body: change }, call);
    this.access.remember(project, call.userId);
    return project;
  }

  /** Deletes the project's files at once, its index and its repository as soon as their servers are available. */
  async delete(projectId: string, call: OwnerCall): Promise<void> {
    const { userId } = call;
    const entry = { key: `${userId}/${projectId}`, userId, projectId, payload: {} };
    const topics = [...this.indexes.topics(INDEX_DROP), ...this.histories.topics(GIT_DROP)];
    const held = await this.outbox.hold(topics.map((topic) => ({ ...entry, topic })));
    const { deleted } = await change(
      call,
      (own) => this.filesystem.deleteProject({ params: { project_id: projectId } }, own),
      // The project may have been deleted all the same: the deletion of index and history checks this before it runs.
      (nothingDone) => (nothingDone ? this.outbox.discard(held) : this.outbox.release(held).then(() => undefined)),
    );
    if (!deleted) {
      await this.outbox.discard(held);
      throw notFound(`project_id: you have no project ${JSON.stringify(projectId)}.`);
    }
    this.access.forget(projectId, userId);
    await this.deletions.deleted({ kind: 'project', userId, projectId });
    await this.events.deleted(userId, projectId);
    await this.outbox.release(held);
  }

  /** The data of a project are deleted only after filesystem has confirmed that the project is deleted. */
  private async isGone(params: { project_id: string }, call: CallContext): Promise<boolean> {
    return this.filesystem.getProject({ params }, call).then(
      () => false,
      (error: unknown) => {
        if (error instanceof DownstreamError && error.status === 404) return true;
        throw error;
      },
    );
  }
}

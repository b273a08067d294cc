import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { InjectConfig } from '../../config/config.module.js';
import type { Config } from '../../config/config.schema.js';
import { FilesystemClient } from '../../downstream/filesystem/filesystem.client.js';
import type { Project } from '../../downstream/filesystem/filesystem.contract.js';
import { notFound } from '../../http/problem.js';
import { withoutRetries } from '../call/waiting.js';
import { DownstreamError } from '../../resilience/policy/downstream-error.js';
import type { UserCall } from '../call/public-call.js';

const FRESH_MS = 30_000;
/** The filesystem server's status for a project of another user; other refusals are faults of ours. */
const NOT_THERE: ReadonlySet<number> = new Set([400, 404, 410]);

/**
 * Checks whether a project belongs to the user. While filesystem is unavailable an unknown project is let through,
 * which reveals nothing: every store is keyed by user and project.
 */
@Injectable()
export class ProjectAccess {
  private readonly known = new LRUCache<string, { seenAtMs: number; instructions: string }>({ max: 50_000 });

  constructor(
    @InjectConfig() private readonly config: Config,
    private readonly filesystem: FilesystemClient,
  ) {}

  /**
   * @returns the error where this is not known at the moment; undefined where the project belongs to the user
   * @throws Problem 404 where the project does not exist or belongs to another user
   */
  async require(projectId: string, call: UserCall): Promise<DownstreamError | undefined> {
    const key = `${call.userId}/${projectId}`;
    const known = this.known.get(key);
    if (known !== undefined && performance.now() - known.seenAtMs < FRESH_MS) return undefined;
    try {
      const project = await withoutRetries(
        'filesystem',
        call,
        (impatient) => this.filesystem.getProject({ params: { project_id: projectId } }, impatient),
        this.config.search.context_budget_ms,
      );
      this.remember(project, call.userId);
      return undefined;
    } catch (error) {
      if (!(error instanceof DownstreamError)) throw error;
      if (error.reason === 'cancelled') throw error;
      if (error.reason !== 'rejected' || !NOT_THERE.has(error.status ?? 0)) return error;
      this.known.delete(key);
      throw notFound(`project_id: you have no project ${JSON.stringify(projectId)}.`);
    }
  }

  remember({ project_id, instructions }: Project, userId: string): void {
    this.known.set(`${userId}/${project_id}`, { seenAtMs: performance.now(), instructions });
  }

  /** The project's instructions for the model, as last seen by this process. */
  instructionsOf(projectId: string, userId: string): string {
    return this.known.get(`${userId}/${projectId}`)?.instructions ?? '';
  }

  forget(projectId: string, userId: string): void {
    this.known.delete(`${userId}/${projectId}`);
  }
}

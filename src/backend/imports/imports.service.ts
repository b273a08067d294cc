import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { InjectConfig } from '../../config/config.module.js';
import type { Config } from '../../config/config.schema.js';
import { notFound, Problem } from '../../http/problem.js';
import { toProblem } from '../../http/problem.filter.js';
import { isAbsence } from '../../outbox/outbox.service.js';
import { DownstreamError } from '../../resilience/policy/downstream-error.js';
import { isStorageBusy } from '../../storage/storage-errors.js';
import { claimedId } from '../call/claim.js';
import type { UserCall } from '../call/public-call.js';
import { ProjectEvents } from '../projects/project-events.js';
import { type ImportJob, type ImportProgress, ImportStore } from './import.store.js';
import { ImportFailed, Importing, ImportTaken } from './importing.service.js';

interface Running {
  readonly job: ImportJob;
  readonly ending: AbortController;
}

const UNFINISHED_PER_USER = 2;
/** How often the process may die during an import before the import fails. */
const MAX_STARTS = 5;
/** The same limit where the git server dies. */
const RESET_FAULTS = 4;

/**
 * Runs imports to their end, also after kills and outages: each is stored before it is acknowledged, is resumed at the
 * next start, and waits while a service is unavailable. Repeating one is safe, because only missing documents are
 * brought. Imports are not outbox entries: one would hold a delivery slot for minutes that a turn or a charge needs for
 * milliseconds.
 */
@Injectable()
export class Imports implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly running = new Map<string, Running>();
  /** Imports of each user that are not stored yet. */
  private readonly starting = new Map<string, number>();
  private resuming: Promise<void> | undefined;
  private stopping = false;

  constructor(
    @InjectConfig() private readonly config: Config,
    private readonly importing: Importing,
    private readonly store: ImportStore,
    private readonly events: ProjectEvents,
    private readonly log: PinoLogger,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    this.events.onDelete((userId, projectId) => this.forget(userId, projectId));
    await this.resume();
    this.store.watch?.(() => {
      this.resuming ??= this.resume()
        .catch((error: unknown) => this.log.error({ err: error }, 'Unfinished imports could not be taken over'))
        .finally(() => (this.resuming = undefined));
    });
  }

  async onApplicationShutdown(): Promise<void> {
    this.stopping = true;
    await this.resuming;
    for (const { job, ending } of this.running.values()) {
      ending.abort();
      await this.store.handOver(job).catch((error: unknown) => this.log.warn({ err: error }, 'An import stays behind'));
    }
    await this.store.close();
  }

  /** Runs the unfinished imports of processes that have ended. */
  private async resume(): Promise<void> {
    if (this.stopping) return;
    const detail = `The process that ran the import ended ${MAX_STARTS} times; the import is not started again.`;
    const taken = await this.store.takeUnfinished();
    // First, because the store may fail below.
    for (const { job, starts } of taken) if (starts <= MAX_STARTS) this.take(job);
    for (const { job, starts } of taken) if (starts > MAX_STARTS) await this.end(job, 'failed', detail);
  }

  /** @throws DownstreamError `rejected` with status 403 for a source that is not allowed; Problem 429 */
  async start(
    projectId: string,
    { source, branch }: { source: string; branch?: string | undefined },
    call: UserCall,
  ): Promise<ImportProgress> {
    const { userId } = call;
    const import_id = call.claim ? claimedId(call.claim, 'import') : randomUUID();
    const known = await this.find(userId, projectId, import_id);
    if (known !== undefined) return known;
    const stored = await this.store.countUnfinished(userId);
    const starting = this.starting.get(userId) ?? 0;
    const unfinished = stored + starting;
    if (unfinished >= UNFINISHED_PER_USER) {
      const detail = `${unfinished} of your imports are running; wait for one of them to end`;
      throw new Problem({ status: 429, code: 'too_many_imports', detail, retryAfter: 5 });
    }
    const body = { import_id, source, ...(branch ? { branch } : {}) };
    this.starting.set(userId, starting + 1);
    try {
      await this.importing.begin(projectId, body, call);
    } finally {
      const left = (this.starting.get(userId) ?? 1) - 1;
      if (left === 0) this.starting.delete(userId);
      else this.starting.set(userId, left);
    }
    const progress: ImportProgress = {
      ...{ import_id, source, branch: branch ?? null, state: 'running', detail: null },
      ...{ imported_commits: 0, documents: 0, skipped: 0, skipped_documents: [] },
    };
    const job: ImportJob = { userId, projectId, progress, before: null };
    await this.store.add(job);
    this.take(job);
    return progress;
  }

  /** @throws Problem 404 */
  async get(projectId: string, importId: string, { userId }: UserCall): Promise<ImportProgress> {
    const found = await this.find(userId, projectId, importId);
    if (found === undefined)
      throw notFound(`import_id: there is no import ${JSON.stringify(importId)} in this project.`);
    return found;
  }

  /** Ends and removes the imports of a deleted project. */
  async forget(userId: string, projectId: string): Promise<void> {
    await this.store.forget(userId, projectId);
    for (const { job, ending } of this.running.values()) {
      if (job.userId === userId && job.projectId === projectId) ending.abort();
    }
  }

  private async find(userId: string, projectId: string, importId: string): Promise<ImportProgress | undefined> {
    const kept = await this.store.find(userId, projectId, importId);
    return kept && (this.running.get(importId)?.job.progress ?? kept);
  }

  private take(job: ImportJob): void {
    const { import_id } = job.progress;
    const ending = new AbortController();
    this.running.set(import_id, { job, ending });
    void this.untilEnded(job, ending.signal)
      .catch((error: unknown) => this.log.error({ err: error, import: import_id }, 'An import could not be kept'))
      .finally(() => this.running.delete(import_id));
  }

  private async untilEnded(job: ImportJob, signal: AbortSignal): Promise<void> {
    const { progress } = job;
    let faults = 0;
    for (;;) {
      const before = progress.documents;
      try {
        await this.importing.run(job, signal);
        return await this.end(job, 'done', null);
      } catch (error) {
        if (signal.aborted || error instanceof ImportTaken) return;
        if (isProjectGone(error)) return this.store.forget(job.userId, job.projectId);
        if (progress.documents > before) faults = 0;
        if (!isAbsence(error)) faults++;
        else if (isReset(error)) faults += RESET_FAULTS;
        if (!mayPass(error) || faults >= this.config.outbox.max_attempts) return this.fail(job, error);
        await this.wait(job, error, faults, signal);
      }
    }
  }

  private async wait(job: ImportJob, error: unknown, faults: number, signal: AbortSignal): Promise<void> {
    const { progress } = job;
    const { retry_base_ms, retry_max_ms } = this.config.outbox;
    const retryAfterMs = error instanceof DownstreamError ? (error.retryAfterMs ?? 0) : 0;
    const waitMs = Math.min(retry_max_ms, Math.max(retry_base_ms * 2 ** faults, retryAfterMs));
    const missing =
      error instanceof DownstreamError ? `${error.service} is not available (${error.reason})` : 'the store is busy';
    Object.assign(progress, { state: 'waiting', detail: `${missing}; the import goes on when it is back.` });
    this.log.info({ import: progress.import_id }, `An import waits: ${(error as Error).message}`);
    // Another backend shows the stored progress.
    await this.store.keepProgress(job).catch(() => undefined);
    await sleep(waitMs, undefined, { signal }).catch(() => undefined);
    Object.assign(progress, { state: 'running', detail: null });
  }

  private async fail(job: ImportJob, error: unknown): Promise<void> {
    const detail = error instanceof ImportFailed ? error.message : toProblem(error).detail;
    this.log.warn({ err: error, import: job.progress.import_id }, 'An import failed');
    await this.end(job, 'failed', `${detail} Import again to bring the remaining documents.`);
  }

  private async end(job: ImportJob, state: 'done' | 'failed', detail: string | null): Promise<void> {
    Object.assign(job.progress, { state, detail });
    await this.store.end(job);
  }
}

/** The project was deleted without ending the import here, for instance because a backend died during the deletion. */
function isProjectGone(error: unknown): boolean {
  return (
    error instanceof DownstreamError &&
    (error.status === 410 || (error.service === 'filesystem' && error.status === 404))
  );
}

/** The service answered when the call began and then failed: this import may be the cause. */
function isReset(error: unknown): boolean {
  return error instanceof DownstreamError && error.reason === 'unreachable' && error.message === 'Connection reset';
}

/** 404 from git: after a restart it does not know the import until it is started again. */
function mayPass(error: unknown): boolean {
  if (isStorageBusy(error)) return true;
  return (
    error instanceof DownstreamError &&
    (error.reason !== 'rejected' || (error.service === 'git' && error.status === 404))
  );
}

import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { PinoLogger } from 'nestjs-pino';
import { z } from 'zod';
import { InjectConfig } from '../../config/config.module.js';
import type { Config } from '../../config/config.schema.js';
import { GitClient } from '../../downstream/git/git.client.js';
import { Problem } from '../../http/problem.js';
import { toProblem } from '../../http/problem.filter.js';
import { DownstreamError } from '../../resilience/downstream-error.js';
import { DocumentsService } from '../documents/documents.service.js';
import type { UserCall } from '../session/public-call.js';

export const importSchema = z.object({
  import_id: z.string(),
  source: z.string(),
  branch: z.string().nullable(),
  state: z.enum(['running', 'done', 'failed']),
  imported_commits: z.int(),
  /** Stored or deleted by this import; what was up to date already is not counted. */
  documents: z.int(),
  /** Files that did not become documents. */
  skipped: z.int(),
  /** The first of them that are text. */
  skipped_documents: z.array(z.object({ path: z.string(), reason: z.string() })),
  /** Why it failed. */
  detail: z.string().nullable(),
});
export type ImportProgress = z.output<typeof importSchema>;

interface Running {
  readonly projectId: string;
  readonly progress: ImportProgress;
  readonly call: UserCall;
}

const RUNNING_PER_USER = 2;
const MAX_NAMED = 100;
const PARALLEL = 4;
const PAGE = 500;
const POLL_MS = 200;
/** The version of a text that came from a repository is the hash of its commit; one from here is a UUID. */
const COMMIT = /^[0-9a-f]{40}$/;

/**
 * Brings a repository into a project: git takes its history, and the texts at its head become documents. An import that
 * was cut off, by a kill or by a service that is away, is made good by another one, which does only what is left.
 */
@Injectable()
export class Imports implements OnApplicationShutdown {
  private readonly jobs = new LRUCache<string, Running>({ max: 1000 });
  private readonly stopping = new AbortController();

  constructor(
    @InjectConfig() private readonly config: Config,
    private readonly git: GitClient,
    private readonly documents: DocumentsService,
    private readonly log: PinoLogger,
  ) {}

  onApplicationShutdown(): void {
    this.stopping.abort();
  }

  /** @throws DownstreamError `rejected` with status 403 for a source that is not allowed; Problem 429 */
  async start(
    projectId: string,
    { source, branch }: { source: string; branch?: string | undefined },
    call: UserCall,
  ): Promise<ImportProgress> {
    const active = [...this.jobs.values()].filter(
      (job) => job.call.userId === call.userId && job.progress.state === 'running',
    );
    if (active.length >= RUNNING_PER_USER) {
      const detail = `${active.length} of your imports are running; wait for one of them to end`;
      throw new Problem({ status: 429, code: 'too_many_imports', detail, retryAfter: 5 });
    }
    const import_id = randomUUID();
    const params = { project_id: projectId };
    await this.git.startImport({ params, body: { import_id, source, ...(branch ? { branch } : {}) } }, call);
    const progress: ImportProgress = {
      ...{ import_id, source, branch: branch ?? null, state: 'running', detail: null },
      ...{ imported_commits: 0, documents: 0, skipped: 0, skipped_documents: [] },
    };
    const job: Running = { projectId, progress, call: { ...call, signal: this.stopping.signal } };
    this.jobs.set(import_id, job);
    void this.run(job).then(
      () => void (progress.state = 'done'),
      (error: unknown) => {
        const { detail } = error instanceof ImportFailed ? { detail: error.message } : toProblem(error);
        Object.assign(progress, { state: 'failed', detail: `${detail} Import again to do what is left.` });
        this.log.warn({ err: error, import: import_id }, 'An import failed');
      },
    );
    return progress;
  }

  /** @throws Problem 404 */
  get(projectId: string, importId: string, { userId }: UserCall): ImportProgress {
    const job = this.jobs.get(importId);
    if (job === undefined || job.projectId !== projectId || job.call.userId !== userId) {
      const detail = `import_id: the import ${JSON.stringify(importId)} is not known here; one that a restart cut off is made good by importing again`;
      throw new Problem({ status: 404, code: 'not_found', detail });
    }
    return job.progress;
  }

  private async run(job: Running): Promise<void> {
    const { progress, projectId } = job;
    const params = { project_id: projectId };
    const ofImport = { ...params, import_id: progress.import_id };
    await this.fetched(job);
    const known = await this.versions(job);
    for (let offset = 0, total = Infinity; offset < total; offset += PAGE) {
      const page = await this.git.importedFiles({ params: ofImport, query: { limit: PAGE, offset } }, this.within(job));
      total = page.total;
      const queue = page.files.values();
      const work = async () => {
        for (const file of queue) await this.bring(job, file, known.get(file.path));
      };
      await Promise.all(Array.from({ length: PARALLEL }, work));
    }
  }

  /** Waits until git has the history. */
  private async fetched(job: Running): Promise<void> {
    const { progress, projectId } = job;
    const params = { project_id: projectId, import_id: progress.import_id };
    for (;;) {
      const { state, imported_commits, skipped, detail } = await this.git.getImport({ params }, this.within(job));
      Object.assign(progress, { imported_commits, skipped });
      if (state === 'done') return;
      if (state === 'failed') throw new ImportFailed(`${detail ?? 'the repository could not be read'}.`);
      await sleep(POLL_MS, undefined, { signal: this.stopping.signal });
    }
  }

  /** What the project's documents are now. */
  private async versions(job: Running): Promise<Map<string, string>> {
    const versions = new Map<string, string>();
    for (let offset = 0, total = Infinity; offset < total; offset += PAGE) {
      const page = await this.documents.list(job.projectId, { prefix: '', limit: PAGE, offset }, this.within(job));
      total = page.total;
      for (const { path, version } of page.documents) versions.set(path, version);
    }
    return versions;
  }

  /** What somebody wrote here is never written over. */
  private async bring(
    job: Running,
    { path, version, deleted }: { path: string; version: string; deleted: boolean },
    current: string | undefined,
  ): Promise<void> {
    const { projectId, progress } = job;
    if (current === version || (deleted && current === undefined)) return;
    if (current !== undefined && !COMMIT.test(current)) {
      if (!deleted) skip(progress, path, 'it was changed here; it stays as it is');
      return;
    }
    try {
      if (deleted) await this.documents.deleteFromHistory(projectId, path, this.within(job));
      else {
        const params = { project_id: projectId };
        const { text } = await this.git.textAt({ params, query: { path, version } }, this.within(job));
        await this.documents.putFromHistory(projectId, path, version, text ?? '', this.within(job));
      }
      progress.documents++;
    } catch (error) {
      const refused =
        error instanceof Problem ||
        (error instanceof DownstreamError && error.reason === 'rejected' && error.status !== 410);
      if (!refused) throw error;
      skip(progress, path, toProblem(error).detail);
    }
  }

  /** Each call of an import has a time limit of its own. */
  private within({ call }: Running): UserCall {
    return { ...call, deadlineMs: performance.now() + this.config.deadlines.upload_ms };
  }
}

class ImportFailed extends Error {}

function skip(progress: ImportProgress, path: string, reason: string): void {
  progress.skipped++;
  if (progress.skipped_documents.length < MAX_NAMED) progress.skipped_documents.push({ path, reason });
}

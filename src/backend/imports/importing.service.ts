import { setTimeout as sleep } from 'node:timers/promises';
import pLimit from 'p-limit';
import { Injectable } from '@nestjs/common';
import { InjectConfig } from '../../config/config.module.js';
import type { Config } from '../../config/config.schema.js';
import type { EndpointInput } from '../../contract/endpoint.js';
import type { GitClient } from '../../downstream/git/git.client.js';
import type { gitContract } from '../../downstream/git/git.contract.js';
import type { GitCopy } from '../../downstream/git/git.copies.js';
import { Problem } from '../../http/problem.js';
import { toProblem } from '../../http/problem.filter.js';
import { DownstreamError } from '../../resilience/policy/downstream-error.js';
import { isAbsence } from '../../outbox/outbox.service.js';
import { HistoryCopies } from '../copies/copies.module.js';
import { DocumentsService } from '../documents/documents.service.js';
import { HistoryComparison } from '../documents/repair/history-comparison.service.js';
import type { OwnerCall } from '../call/public-call.js';
import { type ImportJob, type ImportProgress, ImportStore } from './import.store.js';

interface ImportedFile {
  path: string;
  version: string;
  deleted: boolean;
}

const MAX_NAMED = 100;
const PARALLEL = 4;
const PAGE = 500;
const POLL_MS = 200;
/** How often the progress is stored, in files. */
const KEEP_EVERY = 100;
/** The version of a text from a repository is the hash of its commit; other versions are UUIDs. */
const COMMIT = /^[0-9a-f]{40}$/;

/** Why a repository cannot be imported, as the git server reports it. */
export class ImportFailed extends Error {}

/** The import was deleted by another backend, or another one runs it because this one seemed dead. */
export class ImportTaken extends Error {}

async function requireOurs(kept: Promise<boolean>): Promise<void> {
  if (!(await kept)) throw new ImportTaken('This process no longer runs the import');
}

/** Imports a repository into a project: git imports the history, and the texts at the head become documents. */
@Injectable()
export class Importing {
  constructor(
    @InjectConfig() private readonly config: Config,
    private readonly histories: HistoryCopies,
    private readonly comparison: HistoryComparison,
    private readonly documents: DocumentsService,
    private readonly store: ImportStore,
  ) {}

  /**
   * Does the rest of an import, and counts again what it did before it was interrupted.
   * @throws ImportFailed; ImportTaken; DownstreamError, after which it may be run again
   */
  async run(job: ImportJob, signal: AbortSignal): Promise<void> {
    const { progress } = job;
    const copy = this.histories.areSeveral
      ? await this.begin(job.projectId, sourceOf(job), this.callOf(job, signal))
      : this.histories.at(undefined);
    const skipped = await this.fetched(copy.client, job, signal);
    await this.comparison.spread(job, copy);
    const files = await this.files(copy.client, job, signal);
    const current = await this.versions(job, signal);
    if (job.before === null) {
      job.before = current;
      await requireOurs(this.store.keepBefore(job));
    }
    const before = job.before;
    const left = files.filter((file) => !isIn(current, file));
    const brought = files.filter((file) => isIn(current, file) && !isIn(before, file));
    Object.assign(progress, { skipped, documents: brought.length, skipped_documents: [] });
    for (let at = 0; at < left.length; at += KEEP_EVERY) {
      await this.bringAll(copy.client, job, left.slice(at, at + KEEP_EVERY), current, signal);
      await requireOurs(this.store.keepProgress(job));
    }
  }

  /**
   * Begins an import at the first git server that answers, or finds the one that runs there.
   * @throws DownstreamError, with status 403 for a source that is not allowed
   */
  async begin(project_id: string, body: ImportSource, call: OwnerCall): Promise<GitCopy> {
    let failure: unknown;
    for (const copy of this.histories.all) {
      try {
        await copy.client.startImport({ params: { project_id }, body }, call);
        return copy;
      } catch (error) {
        if (!isAbsence(error)) throw error;
        failure ??= error;
      }
    }
    throw failure;
  }

  /** Waits until git has the history. @returns the number of files at the head that are not text */
  private async fetched(git: GitClient, job: ImportJob, signal: AbortSignal): Promise<number> {
    const { progress } = job;
    const body = sourceOf(job);
    for (;;) {
      const params = { project_id: job.projectId };
      const found = await git.startImport({ params, body }, this.callOf(job, signal));
      progress.imported_commits = found.imported_commits;
      if (found.state === 'done') return found.skipped;
      if (found.state === 'failed') throw new ImportFailed(`${found.detail ?? 'the repository could not be read'}.`);
      await sleep(POLL_MS, undefined, { signal });
    }
  }

  private async files(git: GitClient, job: ImportJob, signal: AbortSignal): Promise<ImportedFile[]> {
    const files: ImportedFile[] = [];
    const params = { project_id: job.projectId, import_id: job.progress.import_id };
    for (let total = Infinity; files.length < total;) {
      const query = { limit: PAGE, offset: files.length };
      const page = await git.importedFiles({ params, query }, this.callOf(job, signal));
      total = page.total;
      files.push(...page.files);
    }
    return files;
  }

  /** The current documents of the project. */
  private async versions(job: ImportJob, signal: AbortSignal): Promise<Map<string, string>> {
    const versions = new Map<string, string>();
    for (let offset = 0, total = Infinity; offset < total; offset += PAGE) {
      const query = { prefix: '', limit: PAGE, offset };
      const page = await this.documents.list(job.projectId, query, this.callOf(job, signal));
      total = page.total;
      for (const { path, version } of page.documents) versions.set(path, version);
    }
    return versions;
  }

  /** When one file fails, the running ones are finished and no more are started. */
  private async bringAll(
    git: GitClient,
    job: ImportJob,
    files: readonly ImportedFile[],
    current: ReadonlyMap<string, string>,
    signal: AbortSignal,
  ): Promise<void> {
    const limit = pLimit({ concurrency: PARALLEL, rejectOnClear: true });
    const bringOne = async (file: ImportedFile) => {
      try {
        signal.throwIfAborted();
        await this.bring(git, job, file, current.get(file.path), signal);
      } catch (error) {
        limit.clearQueue();
        throw error;
      }
    };
    const ends = await Promise.allSettled(files.map((file) => limit(bringOne, file)));
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
  }

  /** A document that a user changed here is never overwritten. */
  private async bring(
    git: GitClient,
    job: ImportJob,
    { path, version, deleted }: ImportedFile,
    current: string | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    const { projectId, progress } = job;
    if (current !== undefined && !COMMIT.test(current)) {
      if (!deleted) skip(progress, path, 'it was changed here; it stays as it is');
      return;
    }
    try {
      if (deleted) await this.documents.deleteFromHistory(projectId, path, this.callOf(job, signal));
      else {
        const params = { project_id: projectId };
        const { text } = await git.textAt({ params, query: { path, version } }, this.callOf(job, signal));
        await this.documents.putFromHistory(projectId, path, version, text ?? '', this.callOf(job, signal));
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

  /** Each call of an import gets a time limit of its own. */
  private callOf({ userId, progress }: ImportJob, signal: AbortSignal): OwnerCall {
    const deadlineMs = performance.now() + this.config.deadlines.upload_ms;
    return { requestId: progress.import_id, userId, signal, deadlineMs };
  }
}

type ImportSource = EndpointInput<typeof gitContract.startImport>['body'];

function sourceOf({ progress: { import_id, source, branch } }: ImportJob): ImportSource {
  return { import_id, source, ...(branch === null ? {} : { branch }) };
}

/** Whether the document equals this file of the repository. */
function isIn(versions: ReadonlyMap<string, string>, { path, version, deleted }: ImportedFile): boolean {
  return deleted ? !versions.has(path) : versions.get(path) === version;
}

function skip(progress: ImportProgress, path: string, reason: string): void {
  progress.skipped++;
  if (progress.skipped_documents.length < MAX_NAMED) progress.skipped_documents.push({ path, reason });
}

import { createHash, randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Injectable, Logger } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { InjectConfig } from '../../../../config/config.module.js';
import type { Config } from '../../../../config/config.schema.js';
import { badRequest, notFound, Problem } from '../../../../http/problem.js';
import { Semaphore } from '../../../../http/semaphore.js';
import type { Import } from '../../git.contract.js';
import { ForeignHistory, type ForeignVersion } from './foreign-history.js';
import { git, isObjectName } from '../versions/git-command.js';
import { GitService } from '../versions/git.service.js';
import { GraphFeed } from '../graph/graph-feed.js';
import { allowedSource, type ImportSource } from './import-source.js';
import type { ProjectKey } from '../project-key.js';
import { VersionStore } from '../versions/version-store.js';

const BRANCH = /^(?!.*(\.\.|\/\/|\.lock$|@\{))[A-Za-z0-9_][A-Za-z0-9._/-]{0,199}$/;

/** A user's imports share one place. The wait is as long as the caller allows. */
const LIMITS = { concurrent: 2, perUser: 1, waiting: 20, waitMs: 3_600_000 };

interface ImportJob {
  readonly project: ProjectKey;
  readonly progress: Import;
  readonly files: { path: string; version: string; deleted: boolean }[];
  readonly ending: AbortController;
  /** Absent while the import waits for its turn. */
  run?: Promise<void>;
}

interface HeadFile {
  path: string;
  version: string;
  deleted: boolean;
  blob: string | null;
}

/**
 * Imports the history of another repository into a project. The source's objects are fetched; nothing of it is run or
 * checked out. A version is named by its commit's hash. Imports are tracked in memory only: a caller whose import was
 * ended by a restart starts it again, and commits that were imported before are not imported twice.
 */
@Injectable()
export class ImportsService {
  private readonly log = new Logger('Imports');
  private readonly jobs = new LRUCache<string, ImportJob>({ max: 100 });
  private readonly semaphore = new Semaphore(LIMITS, 'imports');

  constructor(
    @InjectConfig() private readonly config: Config,
    private readonly git: GitService,
    private readonly versions: VersionStore,
    private readonly feed: GraphFeed,
  ) {}

  /** @throws Problem 403 `import_not_allowed`, 400, 410 */
  async start(
    project: ProjectKey,
    { import_id, source, branch }: { import_id: string; source: string; branch?: string | undefined },
  ): Promise<Import> {
    const key = keyOf(project, import_id);
    const begun = this.jobs.get(key);
    if (begun !== undefined) return begun.progress;
    if (branch !== undefined && !BRANCH.test(branch)) {
      throw badRequest('invalid_branch', `branch: ${JSON.stringify(branch)} is not the name of a branch`);
    }
    const from = await allowedSource(source, this.config.git.import_allowed);
    this.git.requireAlive(project);
    const meanwhile = this.jobs.get(key);
    if (meanwhile !== undefined) return meanwhile.progress;
    const imported_commits = this.versions.imported(project, import_id);
    const job: ImportJob = {
      project,
      progress: {
        ...{ import_id, source, branch: branch ?? null, state: 'running', detail: null },
        ...{ imported_commits, files: 0, skipped: 0 },
      },
      files: [],
      ending: new AbortController(),
    };
    this.jobs.set(key, job);
    void this.semaphore
      .pass(project.userId, () => (job.run = this.run(from, branch, job)))
      .then(
        () => void (job.progress.state = 'done'),
        (error: unknown) => this.failed(key, job, error),
      );
    return { ...job.progress };
  }

  private failed(key: string, { progress, ending }: ImportJob, error: unknown): void {
    if (ending.signal.aborted) return;
    // An import that got no place is forgotten, so that the next call starts it again.
    if (error instanceof Problem && error.problem.code === 'saturated') return void this.jobs.delete(key);
    Object.assign(progress, { state: 'failed', detail: reasonOf(error) });
    this.log.warn(`the import of ${progress.source} failed: ${reasonOf(error)}`);
  }

  /** @throws Problem 404 */
  files(project: ProjectKey, importId: string): ImportJob['files'] {
    const job = this.jobs.get(keyOf(project, importId));
    if (job === undefined) throw notFound(`There is no import ${JSON.stringify(importId)}.`);
    return job.files;
  }

  /** Ends and removes the imports of a project, or all of them. */
  async end(project?: ProjectKey): Promise<void> {
    const ended = [...this.jobs].filter(
      ([, job]) =>
        project === undefined || (job.project.userId === project.userId && job.project.projectId === project.projectId),
    );
    for (const [key, job] of ended) {
      this.jobs.delete(key);
      job.ending.abort();
    }
    await Promise.allSettled(ended.flatMap(([, job]) => job.run ?? []));
  }

  private async run(from: ImportSource, branch: string | undefined, job: ImportJob): Promise<void> {
    const { project, progress, files } = job;
    const repository = this.git.repository(project);
    await this.inTurn(job, () => repository.init());
    const name = createHash('sha256')
      .update(`${from.address}\n${branch ?? ''}`)
      .digest('hex')
      .slice(0, 20);
    const taken = `refs/imports/taken/${name}`;
    const incoming = `refs/imports/incoming/${randomUUID()}`;
    const what = branch === undefined ? 'HEAD' : `refs/heads/${branch}`;
    await this.fetch(repository.dir, from, `+${what}:${incoming}`, job.ending.signal);
    const head = (await resolved(repository.dir, incoming)) as string;
    const foreign = new ForeignHistory(repository.dir, this.config.git.import_max_file_bytes);
    const found = await this.take(job, foreign, head);
    files.push(...found.map(({ path, version, deleted }) => ({ path, version, deleted })));
    await this.inTurn(job, async () => {
      if ((await resolved(repository.dir, taken)) === head) return;
      // For a document that was changed here meanwhile, the local change stays the newest.
      const untouched = found.filter(({ path }) => {
        const latest = this.versions.latest(project, path);
        return latest === undefined || isObjectName(latest.version);
      });
      await repository.merge(head, untouched, `Import ${progress.source}`);
      await rm(join(repository.dir, `${taken}.lock`), { force: true });
      await git(repository.dir, ['update-ref'], { revisions: [taken, head] });
    });
    await git(repository.dir, ['update-ref', '-d'], { revisions: [incoming] });
    await this.feed.catchUp(project);
  }

  private async fetch(dir: string, from: ImportSource, refspec: string, signal: AbortSignal): Promise<void> {
    const careful = ['-c', 'http.followRedirects=false', '-c', 'credential.helper='];
    const alone = ['--no-tags', '--no-recurse-submodules', '--no-write-fetch-head', '--no-auto-maintenance', '--quiet'];
    await git(dir, [...careful, 'fetch', ...alone], {
      operands: [from.address, refspec],
      protocol: from.protocol,
      timeoutMs: this.config.git.import_timeout_ms,
      signal,
    });
  }

  /**
   * Records every change of the branch that is not known yet.
   * @returns each file that the branch ever held, with its newest version
   */
  private async take(job: ImportJob, foreign: ForeignHistory, head: string): Promise<HeadFile[]> {
    const { project, progress } = job;
    const newest = new Map<string, ForeignVersion>();
    for await (const page of foreign.versions(await foreign.commits(head))) {
      await this.inTurn(job, () => this.git.record(project, page, progress.import_id));
      progress.imported_commits = this.versions.imported(project, progress.import_id);
      for (const version of page) newest.set(version.path, version);
    }
    const { files: present, skipped } = await foreign.files(head);
    const files: HeadFile[] = [];
    const merged: ForeignVersion[] = [];
    progress.skipped = skipped;
    for (const [path, blob] of present) {
      const last = newest.get(path);
      if (last === undefined || last.deleted) {
        progress.skipped++;
        continue;
      }
      // A merge produced this text: no single change before it contains it.
      const own = last.blob === blob ? last : { ...last, version: head, commit: head, blob };
      if (own !== last) merged.push(own);
      files.push({ path, version: own.version, deleted: false, blob });
    }
    progress.files = files.length;
    for (const [path, { version, deleted }] of newest) {
      if (deleted && !present.has(path)) files.push({ path, version, deleted: true, blob: null });
    }
    await this.inTurn(job, () => this.git.record(project, merged));
    return files.sort((a, b) => (a.path < b.path ? -1 : 1));
  }

  private inTurn({ project, ending }: ImportJob, work: () => Promise<void> | void): Promise<void> {
    return this.git.inTurn(project, async () => {
      ending.signal.throwIfAborted();
      this.git.requireAlive(project);
      await work();
    });
  }
}

async function resolved(dir: string, ref: string): Promise<string | null> {
  return git(dir, ['rev-parse', '--verify', '--quiet'], { revisions: [`${ref}^{commit}`] }).then(
    (out) => out.toString().trim(),
    () => null,
  );
}

function reasonOf(error: unknown): string {
  if (error instanceof Problem) return error.problem.detail;
  return error instanceof Error ? error.message : String(error);
}

const keyOf = ({ userId, projectId }: ProjectKey, importId: string) => JSON.stringify([userId, projectId, importId]);

import { createHash, randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Injectable, Logger } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { InjectConfig } from '../../../config/config.module.js';
import type { Config } from '../../../config/config.schema.js';
import { badRequest, notFound, Problem } from '../../../http/problem.js';
import { Turnstile } from '../../../http/turnstile.js';
import type { Import } from '../git.contract.js';
import { ForeignHistory, type ForeignVersion } from './foreign-history.js';
import { git } from './git-command.js';
import { GitService } from './git.service.js';
import { GraphFeed } from './graph-feed.js';
import { allowedSource, type ImportSource } from './import-source.js';
import { type ProjectKey, type StoredVersion, VersionStore } from './version-store.js';

const BRANCH = /^(?!.*(\.\.|\/\/|\.lock$|@\{))[A-Za-z0-9_][A-Za-z0-9._/-]{0,199}$/;

interface ImportJob {
  progress: Import;
  files: { path: string; version: string; deleted: boolean }[];
}

interface HeadFile {
  path: string;
  version: string;
  deleted: boolean;
  blob: string | null;
}

/**
 * Takes the history of another repository into a project. The source's objects are fetched, nothing of it is run or
 * checked out; a version is named by its commit's hash. Whatever was cut off is made good by importing again.
 */
@Injectable()
export class ImportsService {
  private readonly log = new Logger('Imports');
  private readonly jobs = new LRUCache<string, ImportJob>({ max: 100 });
  private readonly running = new Set<Promise<void>>();
  private readonly turnstile = new Turnstile({ concurrent: 2, waiting: 20 }, 'imports');

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
    if (branch !== undefined && !BRANCH.test(branch)) {
      throw badRequest('invalid_branch', `branch: ${JSON.stringify(branch)} is not the name of a branch`);
    }
    const from = await allowedSource(source, this.config.git.import_allowed);
    this.git.requireAlive(project);
    const known = this.jobs.get(keyOf(project, import_id));
    if (known !== undefined) return known.progress;
    const none = { imported_commits: 0, files: 0, skipped: 0, detail: null };
    const job: ImportJob = {
      progress: { import_id, source, branch: branch ?? null, state: 'running', ...none },
      files: [],
    };
    this.jobs.set(keyOf(project, import_id), job);
    const run = this.turnstile
      .pass(() => this.run(project, from, branch, job))
      .then(
        () => void (job.progress.state = 'done'),
        (error: unknown) => {
          Object.assign(job.progress, { state: 'failed', detail: reasonOf(error) });
          this.log.warn(`the import of ${source} failed: ${reasonOf(error)}`);
        },
      );
    this.running.add(run);
    void run.then(() => this.running.delete(run));
    return { ...job.progress };
  }

  /** @throws Problem 404 */
  get(project: ProjectKey, importId: string): ImportJob {
    const job = this.jobs.get(keyOf(project, importId));
    if (job === undefined) throw notFound(`import_id: the import ${JSON.stringify(importId)}`);
    return job;
  }

  async stop(): Promise<void> {
    await Promise.all(this.running);
  }

  private async run(
    project: ProjectKey,
    from: ImportSource,
    branch: string | undefined,
    { progress, files }: ImportJob,
  ): Promise<void> {
    const repository = this.git.repository(project);
    await this.git.inTurn(project, () => repository.init());
    const name = createHash('sha256')
      .update(`${from.address}\n${branch ?? ''}`)
      .digest('hex')
      .slice(0, 20);
    const taken = `refs/imports/taken/${name}`;
    const incoming = `refs/imports/incoming/${randomUUID()}`;
    const head = await this.fetch(repository.dir, from, branch, incoming);
    const found = await this.take(
      project,
      new ForeignHistory(repository.dir, this.config.git.import_max_file_bytes),
      head,
      progress,
    );
    files.push(...found.map(({ path, version, deleted }) => ({ path, version, deleted })));
    await this.git.inTurn(project, async () => {
      this.git.requireAlive(project);
      if ((await resolved(repository.dir, taken)) === head) return;
      // What was changed here since goes on from the change made here.
      const untouched = found.filter(({ path }) => {
        const latest = this.versions.latest(project, path);
        return latest === undefined || latest.version === latest.commit;
      });
      await repository.merge(head, untouched, `Import ${progress.source}`);
      await rm(join(repository.dir, `${taken}.lock`), { force: true });
      await git(repository.dir, ['update-ref', taken, head]);
    });
    await git(repository.dir, ['update-ref', '-d', incoming]);
    await this.feed.catchUp();
  }

  /** @returns the hash of the branch's newest commit */
  private async fetch(dir: string, from: ImportSource, branch: string | undefined, ref: string): Promise<string> {
    const what = branch === undefined ? 'HEAD' : `refs/heads/${branch}`;
    const careful = ['-c', 'http.followRedirects=false', '-c', 'credential.helper='];
    const alone = ['--no-tags', '--no-recurse-submodules', '--no-write-fetch-head', '--no-auto-maintenance', '--quiet'];
    await git(dir, [...careful, 'fetch', ...alone, '--', from.address, `+${what}:${ref}`], {
      protocol: from.protocol,
      timeoutMs: this.config.git.import_timeout_ms,
    });
    return (await resolved(dir, ref)) as string;
  }

  /** Takes every change of the branch that is not known yet. @returns each file it ever held with its newest version */
  private async take(
    project: ProjectKey,
    foreign: ForeignHistory,
    head: string,
    progress: Import,
  ): Promise<HeadFile[]> {
    const newest = new Map<string, ForeignVersion>();
    for await (const page of foreign.versions(await foreign.commits(head))) {
      const added = await this.record(project, page);
      progress.imported_commits += new Set(added.map(({ commit }) => commit)).size;
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
      // A merge made this text: no single change before it has it.
      const own = last.blob === blob ? last : { ...last, version: head, commit: head, blob };
      if (own !== last) merged.push(own);
      files.push({ path, version: own.version, deleted: false, blob });
    }
    progress.files = files.length;
    for (const [path, { version, deleted }] of newest) {
      if (deleted && !present.has(path)) files.push({ path, version, deleted: true, blob: null });
    }
    await this.record(project, merged);
    return files.sort((a, b) => (a.path < b.path ? -1 : 1));
  }

  private record(project: ProjectKey, versions: readonly ForeignVersion[]): Promise<StoredVersion[]> {
    return this.git.inTurn(project, async () => {
      this.git.requireAlive(project);
      return this.git.record(project, versions);
    });
  }
}

async function resolved(dir: string, ref: string): Promise<string | null> {
  return git(dir, ['rev-parse', '--verify', '--quiet', `${ref}^{commit}`]).then(
    (out) => out.toString().trim(),
    () => null,
  );
}

function reasonOf(error: unknown): string {
  if (error instanceof Problem) return error.problem.detail;
  return error instanceof Error ? error.message : String(error);
}

const keyOf = ({ userId, projectId }: ProjectKey, importId: string) => JSON.stringify([userId, projectId, importId]);

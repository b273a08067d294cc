import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { InjectConfig } from '../../../../config/config.module.js';
import type { Config } from '../../../../config/config.schema.js';
import type { ProjectKey } from '../../../../text/lexical-index.js';
import type { DocumentInfo } from '../../filesystem.contract.js';
import { BackgroundRecognition } from '../documents/background-recognition.js';
import { type DocumentRow, originalOf } from '../documents/document-row.js';
import { DocumentStore } from '../documents/document-store.js';
import { DocumentWriter } from '../documents/document-writer.js';
import { formatOf } from '../extraction/media-type.js';
import { Recogniser, type TurnEnd } from '../extraction/recognition/recogniser.js';
import { DamagedFile, DocumentFiles } from '../files/document-files.js';
import { ProjectsService } from '../projects/projects.service.js';
import { RecognitionJob } from './recognition-job.js';
import { RecognisedDocuments } from './recognised-documents.js';
import { TurnQueue } from './turn-queue.js';

/** How long a document is read before it is the turn of another one. */
const TURN_MS = 30_000;
/** How long a document may wait unchanged before another process reads it. */
const TAKE_OVER_MS = 600_000;
/** The wait after an error of the stores, such as a full quota; it doubles with each error of a document. */
const RETRY_MS = { first: 10_000, max: 600_000 };

/**
 * Recognises the text of pictures and scans in the background. A document says in its warnings which of its pages wait,
 * so that the work is found again after a restart. The users take turns, so that a long scan of one does not delay the
 * documents of the others.
 */
@Injectable()
export class RecognitionService implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly log = new Logger('Recognition');
  private readonly queue = new TurnQueue<RecognitionJob>();
  /** Those in the queue and those being read, by document. */
  private readonly jobs = new Map<string, RecognitionJob>();
  private readonly stopping = new AbortController();
  private running = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    @InjectConfig() private readonly config: Config,
    private readonly documents: DocumentStore,
    private readonly files: DocumentFiles,
    private readonly projects: ProjectsService,
    private readonly writer: DocumentWriter,
    private readonly background: BackgroundRecognition,
    private readonly recogniser: Recogniser,
    private readonly recognised: RecognisedDocuments,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    if (!this.config.filesystem.ocr.enabled) return;
    this.background.waits = (key, row) => this.add(key, row);
    this.background.withProgress = (key, info) => this.withProgress(key, info);
    if (this.recognised.isShared) {
      this.timer = setInterval(() => void this.takeOver().catch(() => undefined), TAKE_OVER_MS / 2).unref();
      return this.takeOver();
    }
    const waiting = await this.documents.waitingForRecognition();
    for (const { key, row } of waiting) this.add(key, row);
    if (waiting.length > 0) this.log.log(`${waiting.length} documents wait for the recognition of their pictures`);
  }

  /**
   * Takes over documents that have waited unchanged for a long time, because the process that stored them may have ended. If
   * it still runs, both processes read them, and the first result is stored.
   */
  private async takeOver(): Promise<void> {
    const beforeMs = Date.now() - TAKE_OVER_MS;
    for (const { key, row } of await this.documents.waitingForRecognition()) {
      if (Date.parse(row.updated_at) < beforeMs) this.add(key, row);
    }
  }

  onApplicationShutdown(): void {
    clearInterval(this.timer);
    this.stopping.abort();
    this.recogniser.stop();
  }

  /** The number of documents of which pages wait. */
  async pending(): Promise<number> {
    return (await this.recognised.waiting()) ?? this.jobs.size;
  }

  private withProgress(key: ProjectKey, info: DocumentInfo): DocumentInfo {
    const job = this.jobs.get(RecognitionJob.nameOf(key, info.path));
    return job?.version === info.version ? job.withProgress(info) : info;
  }

  /** How many documents of a project wait, and how many of their pages. @throws Problem 404 */
  async progress(project: ProjectKey): Promise<{ documents: number; pages: number }> {
    await this.projects.requireReadable(project);
    const jobs = await this.jobsOf(project);
    return { documents: jobs.length, pages: jobs.reduce((pages, job) => pages + job.pagesLeft, 0) };
  }

  private async jobsOf(project: ProjectKey): Promise<RecognitionJob[]> {
    const { userId, projectId } = project;
    const own = [...this.jobs.values()].filter(({ key }) => key.userId === userId && key.projectId === projectId);
    if (!this.recognised.isShared) return own;
    const waiting = await this.documents.waitingForRecognition(project);
    return waiting.map(({ key, row }) => {
      const job = this.jobs.get(RecognitionJob.nameOf(key, row.path));
      return job?.version === row.version ? job : new RecognitionJob(key, row);
    });
  }

  private add(key: ProjectKey, row: DocumentRow): void {
    const job = new RecognitionJob(key, row);
    if (this.jobs.get(job.name)?.version === row.version) return;
    this.jobs.set(job.name, job);
    this.queue.add(key.userId, job);
    void this.work();
  }

  /** Takes turns until the queue is empty. */
  private async work(): Promise<void> {
    if (this.running >= this.config.filesystem.ocr.concurrent) return;
    this.running++;
    try {
      for (let job = this.queue.next(); job !== undefined; job = this.queue.next()) {
        if (this.stopping.signal.aborted) return;
        await this.turn(job);
      }
    } finally {
      this.running--;
    }
  }

  private async turn(job: RecognitionJob): Promise<void> {
    try {
      const isDone = await this.read(job);
      if (this.stopping.signal.aborted) return;
      if (!isDone) this.queue.add(job.key.userId, job);
      else if (this.jobs.get(job.name) === job) this.jobs.delete(job.name);
    } catch (error) {
      if (this.stopping.signal.aborted) return;
      const waitMs = Math.min(RETRY_MS.first * 2 ** job.errors++, RETRY_MS.max);
      this.log.error({ err: error }, `the recognition of ${job.path} is tried again in ${waitMs} ms`);
      void this.queueAfter(waitMs, job);
    }
  }

  /** Meanwhile others are read. */
  private async queueAfter(waitMs: number, job: RecognitionJob): Promise<void> {
    const { signal } = this.stopping;
    await sleep(waitMs, undefined, { signal, ref: false }).catch(() => undefined);
    if (signal.aborted) return;
    this.queue.add(job.key.userId, job);
    void this.work();
  }

  /** @returns whether nothing is left to do for this document */
  private async read(job: RecognitionJob): Promise<boolean> {
    const row = await this.documents.find(job.key, job.path);
    const original = originalOf(row);
    const format = row && formatOf(row.media_type);
    // The document was deleted or replaced.
    if (row?.version !== job.version || original === undefined || (format !== 'pdf' && format !== 'picture'))
      return true;
    if (!job.isComplete) job.end(await this.turnOf(job, format, original));
    return this.stopping.signal.aborted || !job.isDue ? false : this.store(job, format);
  }

  private async turnOf(
    job: RecognitionJob,
    format: 'pdf' | 'picture',
    original: { file: string; sha256: string },
  ): Promise<TurnEnd> {
    try {
      const content = await this.files.read(job.key, original);
      return await this.recogniser.turn(
        { content, format, pages: job.left },
        TURN_MS,
        (pages) => job.open(pages),
        (page) => job.take(page),
      );
    } catch (error) {
      if (error instanceof DamagedFile) return { kind: 'fault', why: error.message };
      throw error;
    }
  }

  /** @returns whether all pages were read, or the document was changed meanwhile */
  private async store(job: RecognitionJob, format: 'pdf' | 'picture'): Promise<boolean> {
    const written = await this.writer.rewrite(job.key, job.path, job.version, (known) => job.textWith(known, format));
    if (written === undefined) return true;
    this.recognised.add(job.key, written);
    job.stored(written.version);
    if (job.failures.length > 0) this.log.warn(`pages of ${job.path} were not recognised: ${job.failures.join('; ')}`);
    return job.isComplete;
  }
}

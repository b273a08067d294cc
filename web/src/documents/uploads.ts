import { useSyncExternalStore } from 'react';
import { ApiProblem } from '../api/client.ts';
import { patiently } from '../api/many.ts';
import { queries } from '../api/queries.ts';
import type { Warning } from '../api/shapes.ts';
import { archiveType, type ManyItem, putFile, putMany } from './upload-calls.ts';

const PARALLEL = 4;
const REFRESH_MS = 1500;
/** Small files go together: a request each would use up what one person may ask in a minute. */
const TOGETHER = { from: 12, files: 50, fileBytes: 256 * 1024 };

export interface Upload {
  readonly id: number;
  readonly path: string;
  /** undefined: it lies in an archive, and can't be sent again by itself. */
  readonly file: File | undefined;
  state: 'waiting' | 'sending' | 'stored' | 'queued' | 'failed';
  /** Of its bytes, or of the files of an archive: 0 to 100. */
  percent: number;
  problem?: { code: string; detail: string };
  /** What the stored text does not have of the file. */
  warnings?: readonly Warning[];
}

/** What is being uploaded into one project. It goes on while other pages are shown. */
class Uploads {
  private items: readonly Upload[] = [];
  private readonly listeners = new Set<() => void>();
  private next = 0;
  private running = 0;
  private frame = 0;
  private refreshing: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly project: string) {}

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly list = (): readonly Upload[] => this.items;

  add(files: readonly { path: string; file: File }[]): void {
    const added = files.map(({ path, file }): Upload => ({
      id: ++this.next,
      path,
      file,
      state: 'waiting',
      percent: 0,
    }));
    this.items = [...this.items, ...added];
    this.tell();
    this.work();
  }

  retryFailed(): void {
    const failed = this.items.filter(({ state }) => state === 'failed');
    this.items = this.items.filter(({ state }) => state !== 'failed');
    this.add(failed.flatMap(({ path, file }) => (file === undefined ? [] : [{ path, file }])));
  }

  clear(): void {
    this.items = this.items.filter(({ state }) => state === 'waiting' || state === 'sending');
    this.tell();
  }

  private work(): void {
    while (this.running < PARALLEL) {
      const batch = this.nextBatch();
      if (batch.length === 0) return;
      for (const upload of batch) upload.state = 'sending';
      this.running += 1;
      void this.send(batch).finally(() => {
        this.running -= 1;
        this.refreshSoon();
        this.tell();
        this.work();
      });
    }
  }

  private nextBatch(): Upload[] {
    const waiting = this.items.filter(({ state }) => state === 'waiting');
    const small = waiting.filter(
      ({ path, file }) => file !== undefined && file.size <= TOGETHER.fileBytes && !isArchive(path),
    );
    if (small.length < TOGETHER.from) return waiting.slice(0, 1);
    return small.slice(0, Math.min(TOGETHER.files, Math.ceil(small.length / PARALLEL)));
  }

  /** Resolves when all of the batch is stored or refused. */
  private async send(batch: readonly Upload[]): Promise<void> {
    const open = () => batch.filter(({ state }) => state === 'sending');
    try {
      await patiently(() => this.sendOnce(open()));
    } catch (error) {
      for (const upload of open()) fail(upload, problemFor(error));
    }
  }

  private async sendOnce(batch: readonly Upload[]): Promise<void> {
    const [first] = batch;
    if (first?.file === undefined) return;
    if (batch.length > 1) return this.sendTogether(batch);
    if (isArchive(first.path)) return this.sendArchive(first, first.file);
    const stored = await putFile(this.project, first.path, first.file, (percent) => this.progress(first, percent));
    settle(first, stored);
  }

  private async sendTogether(batch: readonly Upload[]): Promise<void> {
    const form = new FormData();
    for (const { path, file } of batch) if (file !== undefined) form.append('files', file, path);
    const byPath = new Map(batch.map((upload) => [upload.path, upload]));
    for await (const { document } of putMany(this.project, form)) {
      const upload = byPath.get(document.path);
      if (upload !== undefined) settle(upload, document);
      this.tell();
    }
    for (const upload of batch) {
      if (upload.state === 'sending')
        fail(upload, { code: 'no_answer', detail: 'The server did not say what became of it.' });
    }
  }

  /** The files of an archive get lines of their own where they fail. */
  private async sendArchive(upload: Upload, archive: File): Promise<void> {
    const failed: Upload[] = [];
    let queued = false;
    for await (const { done, total, document } of putMany(this.project, archive)) {
      this.progress(upload, (100 * done) / total);
      if ('error' in document) {
        const line = { id: ++this.next, path: document.path, file: undefined, percent: 100 };
        failed.push({ ...line, state: 'failed', problem: document.error });
      } else queued ||= document.indexed === 'queued';
    }
    upload.state = queued ? 'queued' : 'stored';
    this.items = [...this.items, ...failed];
  }

  private progress(upload: Upload, percent: number): void {
    upload.percent = Math.round(percent);
    this.tell();
  }

  /** Lists that show documents are read again, not for each of many. */
  private refreshSoon(): void {
    this.refreshing ??= setTimeout(() => {
      this.refreshing = undefined;
      void queries.invalidateQueries({ queryKey: ['documents', this.project] });
      void queries.invalidateQueries({ queryKey: ['document', this.project] });
      void queries.invalidateQueries({ queryKey: ['projects'] });
    }, REFRESH_MS);
  }

  /** At most once a frame, however many files there are. */
  private tell(): void {
    if (this.frame !== 0) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      this.items = [...this.items];
      for (const listener of [...this.listeners]) listener();
    });
  }
}

const isArchive = (path: string) => archiveType(path) !== undefined;

function settle(upload: Upload, document: ManyItem): void {
  if ('error' in document) return fail(upload, document.error);
  upload.state = document.indexed === 'done' ? 'stored' : 'queued';
  upload.warnings = document.warnings ?? [];
}

function fail(upload: Upload, problem: { code: string; detail: string }): void {
  upload.state = 'failed';
  upload.problem = problem;
}

const byProject = new Map<string, Uploads>();

export function uploadsOf(project: string): Uploads {
  const known = byProject.get(project) ?? new Uploads(project);
  byProject.set(project, known);
  return known;
}

export function useUploads(project: string): readonly Upload[] {
  const uploads = uploadsOf(project);
  return useSyncExternalStore(uploads.subscribe, uploads.list);
}

function problemFor(error: unknown): { code: string; detail: string } {
  if (error instanceof ApiProblem) return { code: error.code, detail: error.message };
  return { code: 'unexpected', detail: error instanceof Error ? error.message : String(error) };
}

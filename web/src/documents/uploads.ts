import { EventSourceParserStream } from 'eventsource-parser/stream';
import { useSyncExternalStore } from 'react';
import { ApiProblem, BackendAway, isPassing, problemOf, watchedFetch } from '../api/client.ts';
import { connection } from '../api/connection.ts';
import { queries } from '../api/queries.ts';
import type { StoredDocument } from '../api/shapes.ts';

const PARALLEL = 4;
const TRIES = 5;
const RETRY_MS = 1000;
const REFRESH_MS = 1500;

export interface Upload {
  readonly id: number;
  readonly path: string;
  readonly file: File;
  state: 'waiting' | 'sending' | 'stored' | 'queued' | 'failed';
  /** Of its bytes, or of the files of an archive: 0 to 100. */
  percent: number;
  problem?: { code: string; detail: string };
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
    this.add(failed);
  }

  clear(): void {
    this.items = this.items.filter(({ state }) => state === 'waiting' || state === 'sending');
    this.tell();
  }

  private work(): void {
    while (this.running < PARALLEL) {
      const upload = this.items.find(({ state }) => state === 'waiting');
      if (upload === undefined) return;
      upload.state = 'sending';
      this.running += 1;
      void this.send(upload).finally(() => {
        this.running -= 1;
        this.refreshSoon();
        this.tell();
        this.work();
      });
    }
  }

  private async send(upload: Upload): Promise<void> {
    const progress = (percent: number) => {
      upload.percent = Math.round(percent);
      this.tell();
    };
    for (let tries = 1; ; tries += 1) {
      try {
        if (/\.zip$/i.test(upload.path)) await this.sendArchive(upload, progress);
        else upload.state = (await putFile(this.project, upload, progress)).indexed === 'done' ? 'stored' : 'queued';
        return;
      } catch (error) {
        if (error instanceof BackendAway || (error instanceof ApiProblem && error.status === 401)) {
          await connection.usable();
        } else if (isPassing(error) && tries < TRIES) {
          const waitMs = (error as ApiProblem).retryAfterMs ?? RETRY_MS * tries;
          await new Promise((resolve) => setTimeout(resolve, waitMs));
        } else {
          upload.state = 'failed';
          upload.problem = problemFor(error);
          return;
        }
      }
    }
  }

  /** The files of an archive get lines of their own where they fail. */
  private async sendArchive(upload: Upload, progress: (percent: number) => void): Promise<void> {
    const response = await watchedFetch(`/v1/api/projects/${encodeURIComponent(this.project)}/documents`, {
      method: 'POST',
      headers: { 'content-type': 'application/zip', accept: 'text/event-stream' },
      body: upload.file,
    });
    if (!response.ok || response.body === null) {
      throw problemOf(response.status, await response.json().catch(() => undefined));
    }
    const events = response.body
      .pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array<ArrayBuffer>>)
      .pipeThrough(new EventSourceParserStream());
    const failed: Upload[] = [];
    let queued = false;
    for await (const { event, data } of events as unknown as AsyncIterable<{ event?: string; data: string }>) {
      if (event !== 'document') continue;
      const { done, total, document } = JSON.parse(data) as {
        done: number;
        total: number;
        document: StoredDocument | { path: string; error: { code: string; detail: string } };
      };
      progress((100 * done) / total);
      if ('error' in document) {
        const { file } = upload;
        failed.push({
          id: ++this.next,
          path: document.path,
          file,
          state: 'failed',
          percent: 100,
          problem: document.error,
        });
      } else queued ||= document.indexed === 'queued';
    }
    upload.state = queued ? 'queued' : 'stored';
    this.items = [...this.items, ...failed];
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

/** `fetch` does not tell how much of a body is sent, XMLHttpRequest does. The server knows the kind of a file by its name. */
function putFile(
  project: string,
  { path, file }: Upload,
  progress: (percent: number) => void,
): Promise<StoredDocument> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('PUT', `/v1/api/projects/${encodeURIComponent(project)}/documents/${encodeURIComponent(path)}`);
    request.setRequestHeader('content-type', 'application/octet-stream');
    request.upload.addEventListener('progress', ({ loaded, total }) =>
      progress(total === 0 ? 0 : (100 * loaded) / total),
    );
    request.addEventListener('error', () => {
      connection.lost();
      reject(new BackendAway('The backend did not answer.'));
    });
    request.addEventListener('load', () => {
      if (request.status === 401) connection.refused();
      if (request.status < 300) resolve(JSON.parse(request.responseText) as StoredDocument);
      else reject(problemOf(request.status, parsed(request.responseText)));
    });
    request.send(file);
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function problemFor(error: unknown): { code: string; detail: string } {
  if (error instanceof ApiProblem) return { code: error.code, detail: error.message };
  return { code: 'unexpected', detail: error instanceof Error ? error.message : String(error) };
}

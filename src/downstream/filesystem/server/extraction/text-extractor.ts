import { type ChildProcess, fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { extname, join } from 'node:path';
import { Semaphore } from '../../../../http/semaphore.js';
import type { DocumentFormat } from '../../../../contract/document-format.js';
import type { Attachment } from './extracted.js';
import type { ExtractedText, ExtractionJob, ExtractionResult } from './extraction.child.js';

/** Why no text can be taken from a file, for people. */
export class UnreadableDocument extends Error {}

export interface TextExtractorLimits {
  timeoutMs: number;
  /** Of the process that reads the file. */
  maxMemoryBytes: number;
  maxTextBytes: number;
}

/** One user's slow files leave the other place to others. A wait and the reading fit into the caller's limit together. */
const LIMITS = { concurrent: 2, perUser: 1, waiting: 16, waitMs: 4000 };
const WATCH_MS = 50;
const READER = join(import.meta.dirname, `extraction.child${extname(import.meta.filename)}`);
const ROOT = join(import.meta.dirname, '../../../../..');
/** Its own code and packages, not the data of users; it may write nothing and start no process. */
const HEADERS = join(import.meta.dirname, `../../../../text/table-header${extname(import.meta.filename)}`);
const MAY_READ = [import.meta.dirname, HEADERS, join(ROOT, 'package.json'), join(ROOT, 'node_modules')].map(
  (path) => `--allow-fs-read=${path}`,
);

/**
 * Takes the text out of files. Formats that need a parser are read in a process for each file, a few at a time: whatever
 * is in it, a file costs nobody else's request. A thread would not do: one that allocates fast enough takes the whole
 * process with it when its heap is full.
 */
export class TextExtractor {
  private readonly semaphore = new Semaphore(LIMITS, 'files to be read');

  private readonly children = new Set<ChildProcess>();

  constructor(private readonly limits: TextExtractorLimits) {}

  /** @throws UnreadableDocument; Problem 429 `saturated` */
  async extract(content: Uint8Array, format: DocumentFormat, userId: string, charset?: string): Promise<ExtractedText> {
    const result = await this.run({ content, format, charset, attachments: false }, userId);
    return result as ExtractedText;
  }

  /** The files in a file, such as those that came with an e-mail. @throws UnreadableDocument; Problem 429 `saturated` */
  async attachments(content: Uint8Array, format: DocumentFormat, userId: string): Promise<Attachment[]> {
    const result = await this.run({ content, format, attachments: true }, userId);
    return 'attachments' in result ? result.attachments : [];
  }

  private async run(job: Omit<ExtractionJob, 'maxTextBytes' | 'timeoutMs'>, userId: string) {
    const { maxTextBytes, timeoutMs } = this.limits;
    const result = await this.semaphore.pass(userId, () => this.inProcess({ ...job, maxTextBytes, timeoutMs }));
    if ('fault' in result) throw new UnreadableDocument(result.fault);
    return result;
  }

  private inProcess(job: ExtractionJob): Promise<ExtractionResult> {
    const { timeoutMs, maxMemoryBytes } = this.limits;
    const child = fork(READER, {
      execArgv: [
        `--max-old-space-size=${Math.floor(maxMemoryBytes / 2 ** 20)}`,
        '--permission',
        '--allow-worker',
        ...MAY_READ,
      ],
      env: {},
      serialization: 'advanced',
      stdio: 'ignore',
    });
    // What it costs is taken from what requests leave over.
    if (child.pid !== undefined) setPriority(child.pid, constants.priority.PRIORITY_BELOW_NORMAL);
    this.children.add(child);
    const tooMuch = { fault: `reading it takes more than ${maxMemoryBytes} bytes of memory` };
    let timer: NodeJS.Timeout | undefined;
    let watch: NodeJS.Timeout | undefined;
    return new Promise<ExtractionResult>((resolve, reject) => {
      timer = setTimeout(() => resolve({ fault: `reading it took longer than ${timeoutMs} ms` }), timeoutMs);
      // The limit of the heap says nothing of what lies beside it, such as the bytes of an unpacked stream.
      watch = setInterval(() => residentBytes(child) > maxMemoryBytes && resolve(tooMuch), WATCH_MS);
      child.once('message', (result) => resolve(result as ExtractionResult));
      child.once('error', reject);
      child.once('exit', (code, signal) => {
        // How V8 ends a process whose heap is full, and the kernel one that took what was left.
        const outOfMemory = signal === 'SIGABRT' || signal === 'SIGKILL';
        if (outOfMemory) resolve(tooMuch);
        // It had started, so what ended it was the file.
        else resolve({ fault: `reading it ended the process that reads files (${code ?? signal})` });
      });
      child.send(job, (error) => error !== null && reject(error));
    }).finally(() => {
      clearTimeout(timer);
      clearInterval(watch);
      child.kill('SIGKILL');
      this.children.delete(child);
    });
  }

  /** Nobody waits for the files any more. */
  onApplicationShutdown(): void {
    for (const child of this.children) child.kill('SIGKILL');
  }
}

/** 0 where the system does not tell: Linux alone does. */
function residentBytes({ pid }: ChildProcess): number {
  try {
    return 1024 * Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

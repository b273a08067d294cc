import { type ChildProcess, fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { extname, join } from 'node:path';
import { Semaphore } from '../../../../http/semaphore.js';
import type { DocumentFormat } from '../../../../contract/document-format.js';
import type { Attachment } from './extracted.js';
import type { ExtractedText, ExtractionJob, ExtractionResult } from './extraction.child.js';

/** Why no text can be extracted from a file, as text for people. */
export class UnreadableDocument extends Error {}

export interface TextExtractorLimits {
  timeoutMs: number;
  /** The limits of the process that reads the file. */
  maxMemoryBytes: number;
  maxTextBytes: number;
}

/** A user's slow files occupy one place only. Wait and reading together fit into the caller's limit. */
const LIMITS = { concurrent: 2, perUser: 1, waiting: 16, waitMs: 4000 };
const WATCH_MS = 50;
const READER = join(import.meta.dirname, `extraction.child${extname(import.meta.filename)}`);
const ROOT = join(import.meta.dirname, '../../../../..');
/** The process may read its own code and packages, not the data of users; it may write no file and start no process. */
const HEADERS = join(import.meta.dirname, `../../../../text/table-header${extname(import.meta.filename)}`);
const MAY_READ = [import.meta.dirname, HEADERS, join(ROOT, 'package.json'), join(ROOT, 'node_modules')].map(
  (path) => `--allow-fs-read=${path}`,
);

/**
 * Extracts the text of files. Formats that need a parser are read in a separate process for each file, a few at a time,
 * so that no content of a file can affect other requests. A thread would not suffice: one that allocates fast enough
 * ends the whole process when its heap is full.
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

  /**
   * The files contained in a file, such as those attached to an e-mail.
   * @throws UnreadableDocument; Problem 429 `saturated`
   */
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
    // Runs at a low priority, so that requests come first.
    if (child.pid !== undefined) setPriority(child.pid, constants.priority.PRIORITY_BELOW_NORMAL);
    this.children.add(child);
    const tooMuch = { fault: `reading it takes more than ${maxMemoryBytes} bytes of memory` };
    let timer: NodeJS.Timeout | undefined;
    let watch: NodeJS.Timeout | undefined;
    return new Promise<ExtractionResult>((resolve, reject) => {
      timer = setTimeout(() => resolve({ fault: `reading it took longer than ${timeoutMs} ms` }), timeoutMs);
      // The heap limit does not cover memory outside of the heap, such as the bytes of an unpacked stream.
      watch = setInterval(() => residentBytes(child) > maxMemoryBytes && resolve(tooMuch), WATCH_MS);
      child.once('message', (result) => resolve(result as ExtractionResult));
      child.once('error', reject);
      child.once('exit', (code, signal) => {
        // How V8 ends a process whose heap is full, and the kernel one that used up the memory.
        const outOfMemory = signal === 'SIGABRT' || signal === 'SIGKILL';
        if (outOfMemory) resolve(tooMuch);
        // It had started, so the file caused its end.
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

  /** The caller no longer waits for the files. */
  onApplicationShutdown(): void {
    for (const child of this.children) child.kill('SIGKILL');
  }
}

/** 0 where the system does not report it; only Linux does. */
function residentBytes({ pid }: ChildProcess): number {
  try {
    return 1024 * Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

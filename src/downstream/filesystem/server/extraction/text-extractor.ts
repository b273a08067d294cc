import type { ChildProcess } from 'node:child_process';
import { Semaphore } from '../../../../http/semaphore.js';
import type { Attachment } from './extracted.js';
import type { ExtractedText, ExtractionJob, ExtractionResult, ReadFormat } from './extraction.child.js';
import { isOutOfMemory, startSandboxed, watchMemory } from './sandbox.js';

/** Why no text can be extracted from a file, as text for people. */
export class UnreadableDocument extends Error {}

export interface TextExtractorLimits {
  timeoutMs: number;
  /** The limits of the process that reads the file. */
  maxMemoryBytes: number;
  maxTextBytes: number;
  /** Whether pages that are pictures are recognised later. */
  recognition?: boolean;
}

type Limits = Pick<ExtractionJob, 'maxTextBytes' | 'timeoutMs' | 'recognition'>;

/** A user's slow files occupy one place only. Wait and reading together fit into the caller's limit. */
const LIMITS = { concurrent: 2, perUser: 1, waiting: 16, waitMs: 4000 };

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
  async extract(content: Uint8Array, format: ReadFormat, userId: string, charset?: string): Promise<ExtractedText> {
    const result = await this.run({ content, format, charset, attachments: false }, userId);
    return result as ExtractedText;
  }

  /**
   * The files contained in a file, such as those attached to an e-mail.
   * @throws UnreadableDocument; Problem 429 `saturated`
   */
  async attachments(content: Uint8Array, format: ReadFormat, userId: string): Promise<Attachment[]> {
    const result = await this.run({ content, format, attachments: true }, userId);
    return 'attachments' in result ? result.attachments : [];
  }

  private async run(job: Omit<ExtractionJob, keyof Limits>, userId: string) {
    const { maxTextBytes, timeoutMs, recognition = false } = this.limits;
    const limits: Limits = { maxTextBytes, timeoutMs, recognition };
    const result = await this.semaphore.pass(userId, () => this.inProcess({ ...job, ...limits }));
    if ('fault' in result) throw new UnreadableDocument(result.fault);
    return result;
  }

  private inProcess(job: ExtractionJob): Promise<ExtractionResult> {
    const { timeoutMs, maxMemoryBytes } = this.limits;
    const child = startSandboxed('extraction.child', maxMemoryBytes);
    this.children.add(child);
    const tooMuch = { fault: `reading it takes more than ${maxMemoryBytes} bytes of memory` };
    let timer: NodeJS.Timeout | undefined;
    let watch: NodeJS.Timeout | undefined;
    return new Promise<ExtractionResult>((resolve, reject) => {
      timer = setTimeout(() => resolve({ fault: `reading it took longer than ${timeoutMs} ms` }), timeoutMs);
      watch = watchMemory(child, maxMemoryBytes, () => resolve(tooMuch));
      child.once('message', (result) => resolve(result as ExtractionResult));
      child.once('error', reject);
      child.once('exit', (code, signal) => {
        if (isOutOfMemory(signal)) resolve(tooMuch);
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

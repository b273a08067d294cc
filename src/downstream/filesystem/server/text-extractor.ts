import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { Turnstile } from '../../../http/turnstile.js';
import type { ExtractionJob, ExtractionResult } from './extraction.worker.js';
import type { DocumentFormat } from './media-type.js';

/** Why no text can be taken from a file, for people. */
export class UnreadableDocument extends Error {}

export interface TextExtractorLimits {
  timeoutMs: number;
  /** Of the heap of the thread that reads the file. */
  maxMemoryBytes: number;
  maxTextBytes: number;
}

const WORKER = new URL(`./extraction.worker${extname(import.meta.filename)}`, import.meta.url);

/**
 * Takes the text out of files. Formats that need a parser are read in a thread for each file, a few at a time: whatever
 * is in it, a file can cost its own thread and some seconds, and nobody else's request.
 */
export class TextExtractor {
  private readonly turnstile = new Turnstile({ concurrent: 2, waiting: 32 }, 'files to be read');

  constructor(private readonly limits: TextExtractorLimits) {}

  /** @throws UnreadableDocument; Problem 429 `saturated` */
  async textOf(content: Uint8Array, format: DocumentFormat): Promise<string> {
    if (format === 'text') return decode(content);
    const result = await this.turnstile.pass(() => this.inThread({ content, format, ...this.limits }));
    if ('text' in result) return result.text;
    throw new UnreadableDocument(result.fault);
  }

  private inThread(job: ExtractionJob): Promise<ExtractionResult> {
    const { timeoutMs, maxMemoryBytes } = this.limits;
    const worker = new Worker(WORKER, {
      workerData: { content: job.content, format: job.format, maxTextBytes: job.maxTextBytes },
      resourceLimits: { maxOldGenerationSizeMb: Math.floor(maxMemoryBytes / 2 ** 20) },
      stdout: true,
      stderr: true,
    });
    return new Promise<ExtractionResult>((resolve, reject) => {
      const timer = setTimeout(() => resolve({ fault: `reading it took longer than ${timeoutMs} ms` }), timeoutMs);
      worker.once('message', resolve);
      worker.once('error', (error: NodeJS.ErrnoException) => {
        if (error.code !== 'ERR_WORKER_OUT_OF_MEMORY') reject(error);
        else resolve({ fault: `reading it takes more than ${maxMemoryBytes} bytes of memory` });
      });
      worker.once('exit', (code) => {
        clearTimeout(timer);
        reject(new Error(`the thread that reads files ended with code ${code} and without an answer`));
      });
    }).finally(() => worker.terminate());
  }
}

function decode(content: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(content);
  } catch {
    throw new UnreadableDocument('it is not UTF-8 text');
  }
}

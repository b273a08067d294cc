// A process of its own, with a bounded heap and no secrets in its environment, that is killed when it takes too long. It may
// read this folder and packages only; a reader and its packages are loaded for the format that needs them. Imports end in
// `.ts`, because tests start this file without a build; the compiler rewrites them.
import { Worker } from 'node:worker_threads';
import type { Warning } from '../../../../contract/warning.contract.ts';
import type { DecodedText } from './charset.ts';
import { Fault } from './readers/fault.ts';

export interface ExtractionJob {
  content: Uint8Array;
  format: keyof typeof READERS;
  /** That the sender declared. */
  charset?: string | undefined;
  /** The longest text that is taken. */
  maxTextBytes: number;
}
export type ExtractionResult = { text: string; warnings: Warning[] } | { fault: string };

const MAX_WHY_CHARS = 200;

type Reader = (content: Uint8Array, job: ExtractionJob) => DecodedText | Promise<DecodedText>;

const READERS = {
  html: async (content, { charset }) => (await import('./readers/html.ts')).fromHtml(content, charset),
  pdf: async (content) => (await import('./readers/pdf.ts')).fromPdf(content),
  docx: async (content, { maxTextBytes }) => (await import('./readers/docx.ts')).fromDocx(content, maxTextBytes),
} satisfies Record<string, Reader>;

async function textOf(job: ExtractionJob): Promise<ExtractionResult> {
  const { content, format, maxTextBytes } = job;
  const read: Reader = READERS[format];
  // Parsers take a plain array; some do not take a Buffer.
  const { text: raw, warnings } = await read(new Uint8Array(content), job);
  const text = raw.replaceAll('\0', '').toWellFormed().trim();
  if (text === '') {
    throw new Fault(format === 'pdf' ? 'its pages hold no text (are they pictures of pages?)' : 'it holds no text');
  }
  const bytes = Buffer.byteLength(text);
  if (bytes > maxTextBytes) throw new Fault(`its text has ${bytes} bytes; at most ${maxTextBytes} are taken`);
  return { text, warnings };
}

async function resultOf(job: ExtractionJob): Promise<ExtractionResult> {
  try {
    return await textOf(job);
  } catch (error) {
    // A parser that stumbles over a file says something about the file.
    const why = error instanceof Error ? error.message : String(error);
    return { fault: error instanceof Fault ? why : `it can't be read (${why.slice(0, MAX_WHY_CHARS)})` };
  }
}

/** A busy parser blocks the event loop, so this thread ends the process when its parent is gone. */
const WATCHDOG = `
  const parent = process.ppid;
  setInterval(() => process.ppid !== parent && process.kill(process.pid, 'SIGKILL'), 500);`;
new Worker(WATCHDOG, { eval: true }).unref();
process.once('disconnect', () => process.exit());
process.once('message', (job: ExtractionJob) => {
  void resultOf(job).then((result) => process.send?.(result));
});

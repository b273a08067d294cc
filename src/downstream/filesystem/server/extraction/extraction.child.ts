// A process of its own, with a bounded heap and no secrets in its environment, that is killed when it takes too long.
// It may read this folder and packages only. A reader and its packages are loaded only for their format. Imports end in
// `.ts`, because tests start this file without a build; the compiler rewrites them.
import type { DocumentFormat } from '../../../../contract/document-format.ts';
import type { PageStart } from '../../../../contract/page.contract.ts';
import type { Warning } from '../../../../contract/warning.contract.ts';
import type { Attachment, Extracted } from './extracted.ts';
import { endWithParent } from './orphan-watchdog.ts';
import { cleanText, pagedText } from './paged-text.ts';
import { Fault } from './readers/fault.ts';
import { hasUnreadPages } from './recognition/recognised-text.ts';

export interface ExtractionJob {
  content: Uint8Array;
  format: ReadFormat;
  /** The charset that the client declared. */
  charset?: string | undefined;
  /** The limit of the extracted text. */
  maxTextBytes: number;
  /** The time after which the reader should end. */
  timeoutMs: number;
  /** Whether the contained files are wanted, instead of the text. */
  attachments: boolean;
  /** Whether pages that are pictures are recognised later, so that a PDF may be without text now. */
  recognition: boolean;
}
export interface ExtractedText {
  text: string;
  /** The start of each page; absent for a format without pages. */
  pages?: PageStart[];
  warnings: Warning[];
}
export type ExtractionResult = ExtractedText | { attachments: Attachment[] } | { fault: string };

const MAX_WHY_CHARS = 200;

/** The formats that have a reader; pictures are recognised instead. */
export type ReadFormat = Exclude<DocumentFormat, 'picture'>;
type Reader = (content: Uint8Array, job: ExtractionJob) => Extracted | Promise<Extracted>;

const READERS: Record<ReadFormat, Reader> = {
  html: async (content, { charset }) => (await import('./readers/html.ts')).fromHtml(content, charset),
  mhtml: async (content) => (await import('./readers/eml.ts')).fromMhtml(content),
  pdf: async (content, { timeoutMs, recognition }) =>
    (await import('./readers/pdf/pdf.ts')).fromPdf(content, timeoutMs, recognition),
  docx: async (content, { maxTextBytes }) => (await import('./readers/docx.ts')).fromDocx(content, maxTextBytes),
  doc: async (content) => (await import('./readers/doc.ts')).fromDoc(content),
  odt: async (content, { maxTextBytes }) => (await import('./readers/odt.ts')).fromOdt(content, maxTextBytes),
  rtf: async (content) => (await import('./readers/rtf.ts')).fromRtf(content),
  epub: async (content, { maxTextBytes }) => (await import('./readers/epub.ts')).fromEpub(content, maxTextBytes),
  xlsx: async (content, { maxTextBytes }) => (await import('./readers/excel.ts')).fromXlsx(content, maxTextBytes),
  xls: async (content) => (await import('./readers/excel.ts')).fromXls(content),
  ods: async (content, { maxTextBytes }) => (await import('./readers/ods.ts')).fromOds(content, maxTextBytes),
  pptx: async (content, { maxTextBytes }) => (await import('./readers/pptx.ts')).fromPptx(content, maxTextBytes),
  odp: async (content, { maxTextBytes }) => (await import('./readers/odp.ts')).fromOdp(content, maxTextBytes),
  eml: async (content) => (await import('./readers/eml.ts')).fromEml(content),
  mbox: async (content) => (await import('./readers/mbox.ts')).fromMbox(content),
  msg: async (content) => (await import('./readers/msg.ts')).fromMsg(content),
  ipynb: async (content) => (await import('./readers/ipynb.ts')).fromIpynb(content),
  subtitles: async (content, { charset }) => (await import('./readers/subtitles.ts')).fromSubtitles(content, charset),
};

async function read(job: ExtractionJob): Promise<ExtractionResult> {
  const { content, format, maxTextBytes } = job;
  // Parsers accept a plain array; some do not accept a Buffer.
  const extracted = await READERS[format](new Uint8Array(content), job);
  if (job.attachments) return { attachments: extracted.attachments ?? [] };
  const { warnings } = extracted;
  const { text, pages } = 'pages' in extracted ? pagedText(extracted.pages) : { text: cleanText(extracted.text) };
  if (text === '' && !(job.recognition && hasUnreadPages(warnings))) throw new Fault(reasonOfNoText(format, warnings));
  const bytes = Buffer.byteLength(text);
  if (bytes > maxTextBytes) throw new Fault(`its text has ${bytes} bytes; at most ${maxTextBytes} are taken`);
  return pages === undefined ? { text, warnings } : { text, pages, warnings };
}

/** Pages that were given up may hold text: the file is too slow to read, and not a scan. */
function reasonOfNoText(format: ExtractionJob['format'], warnings: readonly Warning[]): string {
  if (format !== 'pdf') return 'it holds no text';
  const isSlow = warnings.some(({ code }) => code === 'pages_too_slow' || code === 'pages_left_out');
  return isSlow ? 'reading its pages takes too long' : 'its pages hold no text (are they pictures of pages?)';
}

async function resultOf(job: ExtractionJob): Promise<ExtractionResult> {
  try {
    return await read(job);
  } catch (error) {
    // An exception of a parser means a fault of the file.
    const why = error instanceof Error ? error.message : String(error);
    return { fault: error instanceof Fault ? why : `it can't be read (${why.slice(0, MAX_WHY_CHARS)})` };
  }
}

endWithParent();
process.once('message', (job: ExtractionJob) => {
  void resultOf(job).then((result) => process.send?.(result));
});

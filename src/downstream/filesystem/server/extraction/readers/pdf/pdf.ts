import { extname, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Warning } from '../../../../../../contract/warning.contract.ts';
import { counted, type Extracted, type Page } from '../../extracted.ts';
import { Fault } from '../fault.ts';
import { joinHyphenated } from './hyphens.ts';
import { type Outline, withHeadings } from './headings.ts';
import type { Line } from './layout/lines.ts';
import { type PageLines, withoutRunningHeads } from './layout/running-heads.ts';
import { onPages } from './on-pages.ts';
import type { PageLosses, PageText } from './page-text.ts';
import { PicturesOfPages } from './pictures-of-pages.ts';

const READER = join(import.meta.dirname, `pdf.worker${extname(import.meta.filename)}`);
/** The share of the caller's time for reading pages; the rest is for the text as a whole. */
const TOTAL_SHARE = 0.8;
/** The share of the total time that one page may take. */
const PAGE_SHARE = 0.2;
/** The share of the time in which pages are looked at for tables. */
const LOOK_SHARE = 0.4;

/** The messages of the thread that reads a PDF, in this order. */
export type PdfMessage =
  | ({ kind: 'opened'; pages: number; outline: Outline } & FileLosses)
  /** The text of a page before its drawings are looked at, which may take long. */
  | { kind: 'draft'; page: number; lines: Line[] }
  | { kind: 'page'; page: number; text: PageText | undefined }
  | { kind: 'fault'; why: string };
interface FileLosses {
  /** The names of attached files. */
  attachments: string[];
  /** Whether the file has a form of Adobe's own kind (XFA), whose pages are made when it is shown. */
  isDynamicForm: boolean;
  hasScripts: boolean;
}
export interface PdfJob {
  content: Uint8Array;
  /** The first page to be read, counted from 1. */
  from: number;
  /** The time in ms since 1970 after which pages are read without looking for ruled tables, which takes as long again. */
  lookUntilMs: number;
}

/**
 * Reads page by page in a thread. The thread is ended when a page takes too long, and a new one continues after that
 * page. When the total time is over, the text consists of the pages so far. With `recognition`, pages without
 * text get their headings now and their text later.
 */
export async function fromPdf(content: Uint8Array, timeoutMs: number, recognition: boolean): Promise<Extracted> {
  const reading = new PdfReading(content, timeoutMs);
  await reading.run();
  return reading.result(recognition);
}

class PdfReading {
  private readonly untilMs: number;
  private readonly pageMs: number;
  private readonly lookUntilMs: number;
  private readonly pages: PageLines[] = [];
  private readonly scans: number[] = [];
  private readonly broken: number[] = [];
  private readonly slow: number[] = [];
  private readonly lost: PageLosses = { files: 0, media: 0, unknownLetters: 0 };
  private readonly pictures = new PicturesOfPages();
  private outline: Outline = { title: '', author: '', properties: [], bookmarks: [] };
  private beside: FileLosses = { attachments: [], isDynamicForm: false, hasScripts: false };
  private draft: PageLines | undefined;
  private count = 0;
  private next = 1;

  private readonly content: Uint8Array;

  constructor(content: Uint8Array, timeoutMs: number) {
    this.content = content;
    this.untilMs = performance.now() + timeoutMs * TOTAL_SHARE;
    this.pageMs = timeoutMs * PAGE_SHARE;
    this.lookUntilMs = Date.now() + timeoutMs * LOOK_SHARE;
  }

  async run(): Promise<void> {
    do {
      const ended = await this.readOn();
      if (this.count === 0) throw new Fault('it has no pages, or finding them takes too long');
      if (ended || performance.now() >= this.untilMs) return;
      if (this.draft?.page === this.next) this.pages.push(this.draft);
      else this.slow.push(this.next);
      this.next++;
    } while (this.next <= this.count);
  }

  result(recognition: boolean): Extracted {
    const left = Array.from({ length: Math.max(0, this.count - this.next + 1) }, (_, i) => this.next + i);
    const { pages, without } = withoutRunningHeads(this.pages);
    const texts: Page[] = pages.map(({ page, lines }) => ({ page, text: lines.map(({ text }) => text).join('\n') }));
    const unread = recognition ? [...this.scans, ...this.slow, ...left] : [];
    return {
      pages: withHeadings(joinHyphenated(texts), this.outline, unread),
      warnings: [
        ...onPages(
          'pages_without_text',
          'pages without text, or with a few words beside a picture that covers the page',
          this.scans,
        ),
        ...onPages('pages_unreadable', 'damaged pages, which are left out', this.broken),
        ...onPages('pages_too_slow', 'pages that take too long to read, which are left out', this.slow),
        ...onPages('pages_left_out', 'pages left out because reading the whole file takes too long', left),
        ...onPages('running_heads_once', 'pages whose running head or foot stands on an earlier page', without),
        ...this.pictures.warnings(),
        ...fileLosses(this.beside, this.lost),
      ],
    };
  }

  /** Reads from page `next`. @returns false where a page took too long @throws Fault */
  private readOn(): Promise<boolean> {
    const worker = new Worker(READER, {
      workerData: { content: this.content, from: this.next, lookUntilMs: this.lookUntilMs } satisfies PdfJob,
    });
    let timer: NodeJS.Timeout | undefined;
    return new Promise<boolean>((resolve, reject) => {
      const watch = (limitMs: number) => {
        clearTimeout(timer);
        timer = setTimeout(() => resolve(false), Math.max(0, Math.min(limitMs, this.untilMs - performance.now())));
      };
      // Until the file is open there is no page to skip.
      watch(Infinity);
      worker.on('message', (message: PdfMessage) => {
        if (message.kind === 'fault') return reject(new Fault(message.why));
        if (message.kind === 'draft') {
          this.draft = message;
          return;
        }
        this.take(message);
        watch(this.pageMs);
      });
      worker.once('error', reject);
      worker.once('exit', () => resolve(true));
    }).finally(() => {
      clearTimeout(timer);
      return worker.terminate();
    });
  }

  private take(message: Exclude<PdfMessage, { kind: 'fault' | 'draft' }>): void {
    if (message.kind === 'opened') {
      this.count = message.pages;
      this.outline = message.outline;
      this.beside = message;
      return;
    }
    const { page, text } = message;
    this.next = page + 1;
    if (text === undefined) this.broken.push(page);
    else {
      if (text.isScan) this.scans.push(page);
      for (const kind of Object.keys(text.losses) as (keyof PageLosses)[]) this.lost[kind] += text.losses[kind];
      this.pictures.add(page, text.pictures, text.described);
      if (text.lines.length > 0) this.pages.push({ page, lines: text.lines });
    }
  }
}

function fileLosses({ attachments, isDynamicForm, hasScripts }: FileLosses, lost: PageLosses): Warning[] {
  const form = 'the pages of a form of Adobe (XFA) are made when it is shown, and are left out';
  return [
    ...attachmentsLeftOut(attachments),
    ...counted(lost.files, 'attachments_left_out', 'files attached to places of pages are left out'),
    ...counted(lost.media, 'media_left_out', 'recordings and models are left out'),
    ...counted(lost.unknownLetters, 'characters_replaced', 'letters whose font does not name their character'),
    ...(isDynamicForm ? [{ code: 'form_fields_left_out' as const, detail: form }] : []),
    ...(hasScripts ? [{ code: 'scripts_left_out' as const, detail: 'the scripts of the file are left out' }] : []),
  ];
}

function attachmentsLeftOut(files: readonly string[]): Warning[] {
  if (files.length === 0) return [];
  const detail = `the attached files are left out: ${files.slice(0, 10).join(', ')}${files.length > 10 ? ' …' : ''}`;
  return [{ code: 'attachments_left_out', detail, count: files.length }];
}

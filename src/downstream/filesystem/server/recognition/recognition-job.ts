import type { ProjectKey } from '../../../../text/lexical-index.js';
import type { DocumentInfo } from '../../filesystem.contract.js';
import type { RecognisedPage, TurnEnd } from '../extraction/recognition/recogniser.js';
import { type DocumentRow, infoOf } from '../documents/document-row.js';
import {
  type KnownText,
  pendingPages,
  pendingWarning,
  PENDING,
  withRecognised,
} from '../extraction/recognition/recognised-text.js';

/** How often a page may end its process, or make it hang, before it is set aside. */
const MAX_ATTEMPTS = 2;
/** A document is stored at most about this often while it is being read, because each time makes a version. */
const STORES = 8;
const MIN_PAGES_STORED = 20;

/** The recognition of one document: the pages that wait, and those that were read and are not stored yet. */
export class RecognitionJob {
  version: string;
  readonly path: string;
  readonly name: string;
  /** Undefined until the file was opened, where all pages are to be read. */
  left: number[] | undefined;
  /** Why pages failed, for the log. */
  failures: string[] = [];
  /** How often its work ended with an error of the stores. */
  errors = 0;
  private recognised: RecognisedPage[] = [];
  private failed: number[] = [];
  private readonly attempts = new Map<number, number>();
  private readonly total: number | undefined;
  private pageCount: number | undefined;

  constructor(
    readonly key: ProjectKey,
    row: DocumentRow,
  ) {
    const { version, path, warnings = [] } = infoOf(row);
    this.version = version;
    this.path = path;
    this.name = RecognitionJob.nameOf(key, path);
    this.left = pendingPages(warnings).pages;
    this.total = this.left?.length;
  }

  static nameOf({ userId, projectId }: ProjectKey, path: string): string {
    return JSON.stringify([userId, projectId, path]);
  }

  /** The pages that will be read; those before `from` of a file of unknown length were read already. */
  open(pages: readonly number[]): void {
    this.left ??= [...pages];
    this.pageCount ??= pages.length;
  }

  take(page: RecognisedPage): void {
    this.recognised.push(page);
    this.left = this.left?.filter((number) => number !== page.page);
  }

  end(end: TurnEnd): void {
    if (end.kind === 'fault') this.giveUp(this.left ?? [1], end.why);
    // A page that a PDF no longer has, as after a repair of the file by another reader.
    else if (end.kind === 'done') this.giveUp(this.left ?? [], 'the file has no such page');
    else if (end.kind === 'stuck') {
      const attempts = (this.attempts.get(end.page) ?? 0) + 1;
      this.attempts.set(end.page, attempts);
      if (attempts >= MAX_ATTEMPTS) this.giveUp(end.page === 0 ? (this.left ?? [1]) : [end.page], end.why);
    }
  }

  private giveUp(pages: readonly number[], why: string): void {
    if (pages.length === 0) return;
    this.failed.push(...pages);
    this.failures.push(`pages ${pages.join(', ')}: ${why}`);
    this.left = (this.left ?? []).filter((page) => !pages.includes(page));
  }

  get isComplete(): boolean {
    return this.left?.length === 0;
  }

  /** Whether what was read should be stored now. */
  get isDue(): boolean {
    const share = Math.ceil((this.total ?? this.pageCount ?? 0) / STORES);
    return this.isComplete || this.recognised.length >= Math.max(MIN_PAGES_STORED, share);
  }

  get pagesLeft(): number {
    return this.left?.length ?? 1;
  }

  textWith(known: KnownText, format: 'pdf' | 'picture'): KnownText {
    const { recognised, failed, left } = this;
    const text = withRecognised(known, { recognised, failed, left });
    return format === 'picture' && this.pageCount === 1 ? withoutPages(text) : text;
  }

  /** What was read so far is part of this version. */
  stored(version: string): void {
    this.version = version;
    this.recognised = [];
    this.failed = [];
  }

  withProgress(info: DocumentInfo): DocumentInfo {
    if (this.left === undefined || info.warnings === undefined) return info;
    // The document waits until its last page is stored.
    const waiting = this.left.length > 0 ? this.left : this.recognised.map(({ page }) => page).slice(-1);
    const warnings = info.warnings.flatMap((warning) =>
      warning.code === PENDING && waiting.length > 0 ? pendingWarning(waiting) : [warning],
    );
    return { ...info, warnings };
  }
}

/** A picture that is one page has no pages that a reader could turn to. */
function withoutPages({ text, warnings }: KnownText): KnownText {
  return { text, pages: [], warnings: warnings.map(({ place: _, ...warning }) => warning) };
}

import type { PageStart } from '../../../../../contract/page.contract.ts';
import type { Warning, WarningCode } from '../../../../../contract/warning.contract.ts';
import { counted } from '../extracted.ts';
import { numbersIn, rangesOf } from '../page-ranges.ts';
import { pagedText } from '../paged-text.ts';
import type { RecognisedPage } from './recogniser.ts';

/** The warning of a document of which pages wait for their recognition. */
export const PENDING = 'ocr_pending';
const CONFIDENCE = 'ocr_confidence';
const FAILED = 'ocr_failed';
const NO_TEXT = 'no_text';
/** Pages with a lower confidence, in percent, are named. */
const WEAK_PERCENT = 75;
/** The most reasons in one warning. */
const MAX_REASONS = 3;

/** The text of a document, as far as it is known. */
export interface KnownText {
  text: string;
  /** Empty for a document without pages. */
  pages: PageStart[];
  warnings: Warning[];
}
export interface Recognition {
  recognised: readonly RecognisedPage[];
  /** Pages whose recognition failed. */
  failed: readonly number[];
  /** Pages that still wait; undefined where the number of pages is not known yet. */
  left: readonly number[] | undefined;
}

/** The warning for pages that wait; undefined: all pages of a file whose number of pages is not known. */
export function pendingWarning(pages: readonly number[] | undefined): Warning[] {
  const detail = 'pages and pictures that are still being read in the background';
  if (pages === undefined) return counted(1, PENDING, detail);
  return onPages(PENDING, detail, pages);
}

/** The warnings of a PDF for pages that the background reads: scans, and those for which the time was too short. */
const UNREAD = new Set(['pages_without_text', 'pages_too_slow', 'pages_left_out']);

/** Whether pages are left to the background. */
export const hasUnreadPages = (warnings: readonly Warning[]) => warnings.some(({ code }) => UNREAD.has(code));

/** Lets pages without text wait for the background. */
export function withPending(warnings: readonly Warning[]): Warning[] {
  const unread = warnings.filter(({ code }) => UNREAD.has(code)).flatMap(({ place = '' }) => numbersIn(place));
  return [...pendingWarning(unread), ...warnings.filter(({ code }) => !UNREAD.has(code))];
}

/** The pages that wait; undefined: all. `isPending` is false where none wait. */
export function pendingPages(warnings: readonly Warning[]): { isPending: boolean; pages: number[] | undefined } {
  const pending = warnings.find(({ code }) => code === PENDING);
  return {
    isPending: pending !== undefined,
    pages: pending?.place === undefined ? undefined : numbersIn(pending.place),
  };
}

/** Adds recognised pages to a text, and says in its warnings what was recognised how well, and what was not. */
export function withRecognised(known: KnownText, { recognised, failed, left }: Recognition): KnownText {
  const read = recognised.filter(({ text }) => text !== undefined && text !== '');
  const empty = recognised.filter(({ text }) => text === '').map(({ page }) => page);
  const undrawn = recognised.filter(({ text }) => text === undefined);
  const broken = [...failed, ...undrawn.map(({ page }) => page)];
  const reasons = [...new Set(undrawn.flatMap(({ why }) => why ?? []))].slice(0, MAX_REASONS);
  const because = reasons.length === 0 ? '' : ` (${reasons.join('; ')})`;
  const own = new Set([PENDING, CONFIDENCE, FAILED, NO_TEXT]);
  const before = (code: string) => known.warnings.find((warning) => warning.code === code);
  return {
    ...merged(known, read),
    warnings: [
      ...known.warnings.filter(({ code }) => !own.has(code)),
      ...pendingWarning(left ?? []).filter(() => left === undefined || left.length > 0),
      ...confidence(before(CONFIDENCE), read.filter(isRecognised)),
      ...onPages(NO_TEXT, 'pictures in which no text was recognised', [...pagesIn(before(NO_TEXT)), ...empty]),
      ...onPages(FAILED, `pictures whose recognition failed or took too long${because}`, [
        ...pagesIn(before(FAILED)),
        ...broken,
      ]),
    ],
  };
}

function merged({ text, pages }: KnownText, read: readonly RecognisedPage[]): Pick<KnownText, 'text' | 'pages'> {
  const byPage = new Map(pages.map(({ page, start }, i) => [page, text.slice(start, pages[i + 1]?.start)]));
  for (const { page, text: added = '' } of read) {
    const before = byPage.get(page)?.trim() ?? '';
    byPage.set(page, `${before}\n\n${without(before, added)}`);
  }
  const all = [...byPage].map(([page, words]) => ({ page, text: words })).sort((one, other) => one.page - other.page);
  return pagedText(all);
}

const isRecognised = (page: RecognisedPage): page is RecognisedPage & { confidence: number } =>
  page.confidence !== undefined;

/** The lines of a recognised page that its printed text, such as the mark of a scanner, lacks. */
function without(printed: string, recognised: string): string {
  const words = (text: string) =>
    text
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}]+/gu, ' ')
      .trim();
  const known = ` ${words(printed)} `;
  const isNew = (line: string) => words(line) === '' || !known.includes(` ${words(line)} `);
  return recognised.split('\n').filter(isNew).join('\n');
}

/** The mean over all pages so far, weighted by their number. */
function confidence(before: Warning | undefined, read: readonly { page: number; confidence: number }[]): Warning[] {
  const count = (before?.count ?? 0) + read.length;
  if (count === 0) return [];
  const sum = read.reduce((total, page) => total + page.confidence, (before?.count ?? 0) * (before?.percent ?? 0));
  const percent = Math.round((10 * sum) / count) / 10;
  const weak = [...pagesIn(before), ...read.filter((page) => page.confidence < WEAK_PERCENT).map(({ page }) => page)];
  const detail = `recognised text, which may have errors; the mean confidence is ${percent} %`;
  const warning: Warning = { code: CONFIDENCE, detail, count, percent };
  return [weak.length === 0 ? warning : { ...warning, place: placeOf(weak) }];
}

function onPages(code: WarningCode, what: string, pages: readonly number[]): Warning[] {
  return counted(pages.length, code, what).map((warning) => ({ ...warning, place: placeOf(pages) }));
}

const placeOf = (pages: readonly number[]) => `pages ${rangesOf([...pages].sort((one, other) => one - other))}`;
const pagesIn = (warning: Warning | undefined) => numbersIn(warning?.place ?? '');

import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { getDocumentProxy } from 'unpdf';
import type { Warning } from '../../../../../contract/warning.contract.ts';
import type { DecodedText } from '../charset.ts';
import { Fault } from './fault.ts';

/** Of the release of PDF.js that is in unpdf: the CMaps of Adobe's CJK fonts, and the metrics of the standard fonts. */
const DATA = dirname(fileURLToPath(import.meta.resolve('pdfjs-dist/package.json')));
const OPTIONS = {
  verbosity: 0,
  cMapUrl: join(DATA, 'cmaps/'),
  cMapPacked: true,
  standardFontDataUrl: join(DATA, 'standard_fonts/'),
};

type Pdf = Awaited<ReturnType<typeof getDocumentProxy>>;
type Page = Awaited<ReturnType<Pdf['getPage']>>;

export async function fromPdf(content: Uint8Array): Promise<DecodedText> {
  const pdf = await open(content);
  const pages: string[] = [];
  const empty: number[] = [];
  const broken: number[] = [];
  for (let number = 1; number <= pdf.numPages; number++) {
    const text = await textOfPage(pdf, number).catch(() => void broken.push(number));
    if (text === '') empty.push(number);
    else if (text !== undefined) pages.push(text);
  }
  const warnings = [
    ...onPages('pages_without_text', 'hold no text; they may be scans or pictures', empty),
    ...onPages('pages_unreadable', 'are damaged and were left out', broken),
    ...(await attachments(pdf)),
  ];
  return { text: joinHyphenated(pages.join('\n\n')), warnings };
}

async function open(content: Uint8Array): Promise<Pdf> {
  try {
    return await getDocumentProxy(content, OPTIONS);
  } catch (error) {
    const { name, message } = error as Error;
    if (name === 'PasswordException') throw new Fault('it is protected by a password');
    throw new Fault(`it is not a PDF that can be read (${message})`);
  }
}

async function textOfPage(pdf: Pdf, number: number): Promise<string> {
  const page = await pdf.getPage(number);
  const { items } = await page.getTextContent();
  const printed = items.map((item) => ('str' in item ? item.str + (item.hasEOL ? '\n' : '') : '')).join('');
  const parts = [printed, ...(await annotationsOf(page))].map((part) => part.trim());
  page.cleanup();
  return parts.filter((part) => part !== '').join('\n');
}

interface Annotation {
  subtype?: string;
  fieldName?: string;
  /** The label that a form shows for the field. */
  alternativeText?: string;
  fieldValue?: unknown;
  contentsObj?: { str?: string };
}

/** What is written into the fields of a form, and notes beside the text. */
async function annotationsOf(page: Page): Promise<string[]> {
  const annotations = (await page.getAnnotations().catch(() => [])) as Annotation[];
  const fields = annotations.filter(({ subtype }) => subtype === 'Widget').map(fieldText);
  // A popup repeats the note that it belongs to.
  const notes = annotations.filter(({ subtype }) => !['Widget', 'Popup', 'Link'].includes(subtype ?? ''));
  return [...fields, ...notes.map(({ contentsObj }) => contentsObj?.str ?? '')];
}

function fieldText({ fieldName, alternativeText, fieldValue }: Annotation): string {
  const values = [fieldValue].flat().filter((value) => typeof value === 'string' && value !== '' && value !== 'Off');
  return values.length === 0 ? '' : `${alternativeText || fieldName || 'Field'}: ${values.join(', ')}`;
}

async function attachments(pdf: Pdf): Promise<Warning[]> {
  const files = Object.keys((await pdf.getAttachments().catch(() => null)) ?? {});
  if (files.length === 0) return [];
  const detail = `the attached files are left out: ${files.slice(0, 10).join(', ')}${files.length > 10 ? ' …' : ''}`;
  return [{ code: 'attachments_left_out', detail, count: files.length }];
}

function onPages(code: string, what: string, pages: readonly number[]): Warning[] {
  if (pages.length === 0) return [];
  return [{ code, detail: `${pages.length} pages ${what}`, count: pages.length, place: `pages ${ranges(pages)}` }];
}

/** `1, 3-5` for 1, 3, 4, 5. */
function ranges(numbers: readonly number[]): string {
  const runs: [number, number][] = [];
  for (const number of numbers) {
    const last = runs.at(-1);
    if (last?.[1] === number - 1) last[1] = number;
    else runs.push([number, number]);
  }
  return runs.map(([first, last]) => (first === last ? first : `${first}-${last}`)).join(', ');
}

/** Joins words that are cut at the end of a line; a compound such as `state-of-the-art` keeps its hyphens. */
function joinHyphenated(text: string): string {
  const compounds = new Set(
    text
      .split(/\s+/)
      .filter((word) => word.includes('-'))
      .map(lettersOf),
  );
  const lines = text.split('\n');
  for (let at = lines.length - 2; at >= 0; at--) {
    const [line, next] = [lines[at] as string, lines[at + 1] as string];
    if (!/\p{L}[-\u00ad\u2010]$/u.test(line) || !/^\p{Ll}/u.test(next)) continue;
    const start = line.slice(line.lastIndexOf(' ') + 1, -1);
    const compound = `${start}-${next.split(' ', 1)[0]}`;
    const keepsHyphen = start.includes('-') || compounds.has(lettersOf(compound));
    lines.splice(at, 2, (keepsHyphen ? `${line.slice(0, -1)}-` : line.slice(0, -1)) + next);
  }
  return lines.join('\n');
}

const lettersOf = (word: string) => word.replaceAll(/[^\p{L}-]/gu, '');

import { type Line, printedLines } from './layout/lines.ts';
import { isScan } from './layout/scan.ts';
import type { PdfPage } from './outline.ts';

export interface PageText {
  /** The printed lines, then the values of form fields and annotations. */
  lines: Line[];
  /** Whether the text is beside a picture that covers the page, or there is none. */
  isScan: boolean;
}

export async function textOfPage(page: PdfPage): Promise<PageText> {
  const printed = trimmed(await printedLines(page));
  const notes = (await annotationsOf(page)).map((note) => note.trim()).filter((note) => note !== '');
  const lines = [...printed, ...notes.map((text) => ({ text, height: -1, size: 0 }))];
  const isPicture = lines.length === 0 || (await isScan(page, lines).catch(() => false));
  page.cleanup();
  return { lines, isScan: isPicture };
}

/** Without white space at the beginning and the end of the page. */
function trimmed(lines: readonly Line[]): Line[] {
  const isText = ({ text }: Line) => text.trim() !== '';
  const kept = lines.slice(Math.max(0, lines.findIndex(isText)), lines.findLastIndex(isText) + 1);
  return kept.map((line, at) => {
    const text = at === 0 ? line.text.trimStart() : line.text;
    return { ...line, text: at === kept.length - 1 ? text.trimEnd() : text };
  });
}

interface Annotation {
  subtype?: string;
  fieldName?: string;
  /** The label of the field in the form. */
  alternativeText?: string;
  fieldValue?: unknown;
  contentsObj?: { str?: string };
}

/** The values of form fields, and notes beside the text. */
async function annotationsOf(page: PdfPage): Promise<string[]> {
  const annotations = (await page.getAnnotations().catch(() => [])) as Annotation[];
  const fields = annotations.filter(({ subtype }) => subtype === 'Widget').map(fieldText);
  // A popup repeats the text of its note.
  const notes = annotations.filter(({ subtype }) => !['Widget', 'Popup', 'Link'].includes(subtype ?? ''));
  return [...fields, ...notes.map(({ contentsObj }) => contentsObj?.str ?? '')];
}

function fieldText({ fieldName, alternativeText, fieldValue }: Annotation): string {
  const values = [fieldValue].flat().filter((value) => typeof value === 'string' && value !== '' && value !== 'Off');
  return values.length === 0 ? '' : `${alternativeText || fieldName || 'Field'}: ${values.join(', ')}`;
}

import { type Line, printedLines } from './layout/lines.ts';
import type { Scans } from './layout/scan.ts';
import type { PdfPage } from './outline.ts';

export interface PageText {
  /** The printed lines, then the values of form fields and annotations. */
  lines: Line[];
  /** Whether the text is beside a picture that covers the page, or there is none. */
  isScan: boolean;
}

/**
 * A page whose content takes more processor time to read consists of drawings, such as a map. To look at them would take
 * hundreds of megabytes.
 */
const MAX_CONTENT_MS = 250;

/** The processor time of this process, which reads nothing else; it does not depend on what else the machine does. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** `look` is asked with the text before drawings are looked at: whether there is time. */
export async function textOfPage(page: PdfPage, scans: Scans, look: (lines: Line[]) => boolean): Promise<PageText> {
  const beganMs = cpuMs();
  const content = await page.getTextContent();
  const isComplex = cpuMs() - beganMs > MAX_CONTENT_MS;
  const lookUnlessComplex = (lines: Line[]) => !isComplex && look(lines);
  const printed = trimmed(await printedLines(page, content, lookUnlessComplex));
  const notes = (await annotationsOf(page)).map((note) => note.trim()).filter((note) => note !== '');
  const lines = [...printed, ...notes.map((text) => ({ text, height: -1, size: 0 }))];
  const isScan = await scans.has(page, lines, lookUnlessComplex);
  page.cleanup();
  return { lines, isScan };
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

import { descriptionsOf } from './descriptions.ts';
import { type Line, printedLines } from './layout/lines.ts';
import { besideText, picturesOf } from './layout/pictures.ts';
import type { Scans } from './layout/scan.ts';
import type { PdfPage } from './outline.ts';

export interface PageText {
  /** The printed lines, then the descriptions of pictures, the values of form fields and annotations. */
  lines: Line[];
  /** Whether the text is beside a picture that covers the page, or there is none. */
  isScan: boolean;
  losses: PageLosses;
  /** The marks of the pictures beside the text. */
  pictures: string[];
  /** How many descriptions of pictures are in the text. */
  described: number;
}

/** What a page has beside texts. */
export interface PageLosses {
  /** Attached files, by notes in the page. */
  files: number;
  /** Sounds, films and three-dimensional models. */
  media: number;
  /** Letters whose font does not say which characters they are. */
  unknownLetters: number;
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
  const annotations = await annotationsOf(page);
  const descriptions = await descriptionsOf(page);
  const notes = [...descriptions, ...notesOf(annotations)].map((note) => note.trim()).filter((note) => note !== '');
  const lines = [...printed, ...notes.map((text) => ({ text, height: -1, size: 0 }))];
  const isScan = await scans.has(page, lines, lookUnlessComplex);
  const pictures = !isScan && lookUnlessComplex(lines) ? await picturesOf(page).catch(() => []) : [];
  page.cleanup();
  return {
    ...{ lines, isScan, losses: lossesOf(lines, annotations) },
    ...{ pictures: besideText(pictures).map(({ mark }) => mark), described: descriptions.length },
  };
}

const MEDIA = new Set(['Sound', 'Movie', 'Screen', 'RichMedia', '3D']);
/** Programs put letters that have no character into the private use area, and the bullets of symbol fonts at F000 to F0FF. */
const UNKNOWN = /[\ufffd\ue000-\uefff\uf100-\uf8ff]/g;

function lossesOf(lines: readonly Line[], annotations: readonly Annotation[]): PageLosses {
  return {
    files: annotations.filter(({ subtype }) => subtype === 'FileAttachment').length,
    media: annotations.filter(({ subtype = '' }) => MEDIA.has(subtype)).length,
    unknownLetters: lines.reduce((sum, { text }) => sum + (text.match(UNKNOWN)?.length ?? 0), 0),
  };
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

async function annotationsOf(page: PdfPage): Promise<Annotation[]> {
  return (await page.getAnnotations().catch(() => [])) as Annotation[];
}

/** The values of form fields, and notes beside the text. */
function notesOf(annotations: readonly Annotation[]): string[] {
  const fields = annotations.filter(({ subtype }) => subtype === 'Widget').map(fieldText);
  // A popup repeats the text of its note.
  const notes = annotations.filter(({ subtype }) => !['Widget', 'Popup', 'Link'].includes(subtype ?? ''));
  return [...fields, ...notes.map(({ contentsObj }) => contentsObj?.str ?? '')];
}

function fieldText({ fieldName, alternativeText, fieldValue }: Annotation): string {
  const values = [fieldValue].flat().filter((value) => typeof value === 'string' && value !== '' && value !== 'Off');
  return values.length === 0 ? '' : `${alternativeText || fieldName || 'Field'}: ${values.join(', ')}`;
}

import type { PdfPage } from './outline.ts';

/** What is printed on a page, line by line, then what is written into its forms and beside its text. */
export async function textOfPage(page: PdfPage): Promise<string> {
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
async function annotationsOf(page: PdfPage): Promise<string[]> {
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

import type { PdfPage } from './outline.ts';

/** The printed text of a page, line by line, then the values of its form fields and its annotations. */
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

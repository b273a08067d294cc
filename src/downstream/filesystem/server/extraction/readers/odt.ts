import type { Extracted } from '../extracted.ts';
import { OdfMarkup } from './odf-markup.ts';
import { openDocument, openDocumentLosses } from './opendocument.ts';
import { paragraphsOf, readXml } from './xml.ts';

/** Main text with its notes and comments, tables, lists; then the headers and footers, each distinct one once. */
export function fromOdt(content: Uint8Array, maxTextBytes: number): Extracted {
  const document = openDocument(content, 'an ODT', maxTextBytes);
  const markup = new OdfMarkup();
  readXml(document.content, markup);
  const { text, warnings } = markup.reader.result();
  const margins = document.text('styles.xml').match(/<style:(header|footer)[\s>].*?<\/style:\1>/gs) ?? [];
  const lines = new Set(margins.flatMap((margin) => paragraphsOf(margin, 'text:p', 'text:p')));
  return { text: [text, ...lines].join('\n\n'), warnings: [...warnings, ...openDocumentLosses(document)] };
}

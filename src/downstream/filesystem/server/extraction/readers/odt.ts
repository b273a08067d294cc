import type { Extracted } from '../extracted.ts';
import { OdfMarkup } from './odf-markup.ts';
import { marginsOf, objectTexts, openDocument, openDocumentLosses, openDocumentProperties } from './opendocument.ts';
import { withProperties } from './properties.ts';
import { readXml } from './xml.ts';

/**
 * Main text with its notes and comments, tables, lists; then charts and formulas, the headers and footers, each
 * distinct one once, and the properties.
 */
export function fromOdt(content: Uint8Array, maxTextBytes: number): Extracted {
  const document = openDocument(content, 'an ODT', maxTextBytes);
  const markup = new OdfMarkup();
  readXml(document.content, markup);
  const { text, warnings } = markup.reader.result();
  const all = [text, ...objectTexts(document), ...marginsOf(document)];
  return {
    text: withProperties(all.join('\n\n'), openDocumentProperties(document)),
    warnings: [...warnings, ...openDocumentLosses(document)],
  };
}

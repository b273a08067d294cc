import WordExtractor from 'word-extractor';
import type { Extracted } from '../extracted.ts';
import { Fault } from './fault.ts';
import { refuseEncrypted } from './zip-parts.ts';

/** Word 97 to 2003: main text, notes, comments, text boxes, headers and footers. */
export async function fromDoc(content: Uint8Array): Promise<Extracted> {
  refuseEncrypted(content);
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
  // The package also reads DOCX, but without the limits of the DOCX reader.
  if (bytes[0] !== 0xd0) throw new Fault('it is not a DOC: these are OLE files');
  const document = await new WordExtractor().extract(bytes);
  const parts = [
    document.getBody(),
    document.getTextboxes({ includeHeadersAndFooters: false }),
    document.getFootnotes(),
    document.getEndnotes(),
    document.getAnnotations(),
    document.getHeaders({ includeFooters: true }),
  ];
  const detail = 'headings and tables of a DOC are read as plain paragraphs';
  return {
    text: parts
      .map(paragraphs)
      .filter((part) => part !== '')
      .join('\n\n'),
    warnings: [{ code: 'layout_left_out', detail }],
  };
}

const paragraphs = (text: string) =>
  text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .join('\n\n');

import WordExtractor from 'word-extractor';
import type { Warning } from '../../../../../contract/warning.contract.ts';
import { counted, type Extracted } from '../extracted.ts';
import { Fault } from './fault.ts';
import { type OleFile, oleFile } from './ole-file.ts';
import { summaryProperties } from './ole-properties.ts';
import { withProperties } from './properties.ts';
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
  const text = parts
    .map(paragraphs)
    .filter((part) => part !== '')
    .join('\n\n');
  const file = oleFile(content);
  const detail = 'headings and tables of a DOC are read as plain paragraphs';
  return {
    text: withProperties(text, summaryProperties(file.stream(`${SUMMARY}SummaryInformation`))),
    warnings: [{ code: 'layout_left_out', detail }, ...losses(file)],
  };
}

const SUMMARY = '\u0005';

function losses({ paths, stream }: OleFile): Warning[] {
  const count = (pattern: RegExp) => paths.filter((path) => pattern.test(path)).length;
  const picture: Warning = { code: 'pictures_left_out', detail: 'pictures are left out, and choices of form fields' };
  return [
    // The stream of pictures and form fields (MS-DOC, 2.1.4); where it lies in the text is not read.
    ...(stream('Data').length === 0 ? [] : [picture]),
    ...counted(count(/\/ObjectPool\/[^/]+\/$/), 'embedded_files_left_out', 'embedded files are left out'),
    ...counted(count(/\/Macros\/VBA\/$/), 'macros_left_out', 'macros are left out'),
  ];
}

const paragraphs = (text: string) =>
  text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .join('\n\n');

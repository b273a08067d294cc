import { strToU8, zipSync } from 'fflate';
import { signatureType } from '../src/backend/documents/file-signature.js';
import { doc, msg, oleFile, xls } from './ole-files.js';
import { docx, paragraph, pdf } from './sample-files.js';

const zip = (files: Record<string, string>) =>
  Buffer.from(
    zipSync(Object.fromEntries(Object.entries(files).map(([name, text]) => [name, strToU8(text)])), { level: 0 }),
  );

describe('signatureType', () => {
  it.each([
    ['a PDF', pdf('x'), 'application/pdf'],
    ['a DOCX', docx(paragraph('x')), 'application/vnd.openxmlformats-officedocument.wordprocessingml.document'],
    ['an XLSX', zip({ 'xl/workbook.xml': 'x' }), 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet'],
    [
      'an ODT',
      zip({ mimetype: 'application/vnd.oasis.opendocument.text', 'a.xml': 'x' }),
      'application/vnd.oasis.opendocument.text',
    ],
    ['an EPUB', zip({ mimetype: 'application/epub+zip', a: 'x' }), 'application/epub+zip'],
    ['another zip archive', zip({ a: 'x' }), 'application/zip'],
    ['a DOC', doc('x'), 'application/msword'],
    ['an XLS', xls('S', [['x']]), 'application/vnd.ms-excel'],
    ['an MSG', msg('x', 'y', { name: 'a', type: 'b/c', content: 'd' }), 'application/vnd.ms-outlook'],
    [
      'a file with a password',
      oleFile({ EncryptedPackage: Buffer.alloc(5000) }),
      'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
    ],
    [
      'a PPTX that holds an XLSX',
      zip({ 'ppt/embeddings/a.xlsx': zip({ 'xl/workbook.xml': 'x' }).toString('latin1'), 'ppt/presentation.xml': 'x' }),
      'application/vnd.openxmlformats-officedocument.presentationml.presentation',
    ],
    ['a tar', Buffer.concat([Buffer.alloc(257), Buffer.from('ustar'), Buffer.alloc(250)]), 'application/x-tar'],
    ['RTF', Buffer.from('{\\rtf1\\ansi x}'), 'application/rtf'],
    ['a PNG', Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d]), 'image/png'],
    ['text', Buffer.from('# A note'), undefined],
    ['text that begins as a signature does', Buffer.from('BZh is a file format'), undefined],
    ['nothing', Buffer.alloc(0), undefined],
  ])('tells %s', (_what, bytes, type) => {
    expect(signatureType(bytes)).toBe(type);
  });
});

import { deflateSync } from 'node:zlib';
import { strToU8, zipSync } from 'fflate';

/** A PDF of one page a text, written by hand. */
export function pdf(...pages: string[]): Buffer {
  return pdfWithStreams(
    pages.map((page) => {
      const lines = page.split('\n').map((line, n) => `BT /F1 12 Tf 72 ${720 - 16 * n} Td (${line}) Tj ET`);
      return { data: Buffer.from(lines.join('\n')), filter: '' };
    }),
  );
}

/** A PDF of one page whose content is nothing but blanks, packed. */
export function pdfWithStream(bytes: number): Buffer {
  return pdfWithStreams([{ data: deflateSync(Buffer.alloc(bytes, ' ')), filter: '/Filter /FlateDecode' }]);
}

function pdfWithStreams(pages: { data: Buffer; filter: string }[]): Buffer {
  const objects = [
    '<< /Type /Catalog /Pages 2 0 R >>',
    `<< /Type /Pages /Count ${pages.length} /Kids [${pages.map((_, i) => `${4 + 2 * i} 0 R`).join(' ')}] >>`,
    '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>',
    ...pages.flatMap(({ data, filter }, i) => [
      `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents ${5 + 2 * i} 0 R /Resources << /Font << /F1 3 0 R >> >> >>`,
      `<< /Length ${data.length} ${filter} >>\nstream\n${data.toString('latin1')}\nendstream`,
    ]),
  ];
  return pdfOfObjects(objects);
}

/** A PDF of pages with these contents, and further entries of its catalog and trailer; objects from `3 + 2 * pages` on are the given ones. */
export function pdfOfContents(
  contents: readonly string[],
  catalog: string,
  trailer: string,
  ...more: [resources: { xObjects: string; page?: string }, ...objects: string[]] | string[]
): Buffer {
  const [first, ...others] = more;
  const isResources = typeof first === 'object';
  const xObjects = isResources ? `/XObject << ${first.xObjects} >>` : '';
  const { page = '' } = isResources ? first : {};
  const objects = (isResources ? others : more) as string[];
  const pages = contents.flatMap((content, i) => {
    const data = deflateSync(Buffer.from(content, 'latin1'));
    return [
      `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] ${page} /Contents ${4 + 2 * i} 0 R /Resources << ${xObjects} /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>`,
      `<< /Length ${data.length} /Filter /FlateDecode >>\nstream\n${data.toString('latin1')}\nendstream`,
    ];
  });
  const kids = contents.map((_, i) => `${3 + 2 * i} 0 R`).join(' ');
  return pdfOfObjects(
    [
      `<< /Type /Catalog /Pages 2 0 R ${catalog} >>`,
      `<< /Type /Pages /Count ${contents.length} /Kids [${kids}] >>`,
      ...pages,
      ...objects,
    ],
    trailer,
  );
}

/** A PDF of one page with these entries, objects 4 and on being the given ones; object 4 is the content of the page. */
export function pdfOfPage(entries: string, ...objects: string[]): Buffer {
  return pdfOfObjects([
    '<< /Type /Catalog /Pages 2 0 R >>',
    '<< /Type /Pages /Count 1 /Kids [3 0 R] >>',
    `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R ${entries} >>`,
    ...objects,
  ]);
}

function pdfOfObjects(objects: readonly string[], trailer = ''): Buffer {
  let file = '%PDF-1.4\n';
  const offsets = objects.map((object, i) => {
    const offset = file.length;
    file += `${i + 1} 0 obj\n${object}\nendobj\n`;
    return offset;
  });
  const start = file.length;
  file += `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n`;
  file += offsets.map((offset) => `${String(offset).padStart(10, '0')} 00000 n \n`).join('');
  file += `trailer\n<< /Size ${objects.length + 1} /Root 1 0 R ${trailer} >>\nstartxref\n${start}\n%%EOF\n`;
  return Buffer.from(file, 'latin1');
}

/** A DOCX with this body, and further parts. */
export function docx(body: string, more: Record<string, Uint8Array> = {}): Buffer {
  const main = 'application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml';
  const relation = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument';
  return Buffer.from(
    zipSync({
      '[Content_Types].xml': strToU8(
        `<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/word/document.xml" ContentType="${main}"/></Types>`,
      ),
      '_rels/.rels': strToU8(
        `<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="${relation}" Target="word/document.xml"/></Relationships>`,
      ),
      'word/document.xml': strToU8(
        `<?xml version="1.0"?><w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>${body}</w:body></w:document>`,
      ),
      ...more,
    }),
  );
}
export const paragraph = (text: string, style?: string) =>
  `<w:p>${style === undefined ? '' : `<w:pPr><w:pStyle w:val="${style}"/></w:pPr>`}<w:r><w:t>${text}</w:t></w:r></w:p>`;

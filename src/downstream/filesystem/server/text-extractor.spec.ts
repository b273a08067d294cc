import { strToU8, zipSync } from 'fflate';
import { TextExtractor, UnreadableDocument } from './text-extractor.js';

const LIMITS = { timeoutMs: 15_000, maxMemoryBytes: 2 ** 27, maxTextBytes: 1_000_000 };
const extractor = new TextExtractor(LIMITS);

/** A PDF of one page a text, written by hand. */
function pdf(...pages: string[]): Uint8Array {
  const objects = [
    '<< /Type /Catalog /Pages 2 0 R >>',
    `<< /Type /Pages /Count ${pages.length} /Kids [${pages.map((_, i) => `${4 + 2 * i} 0 R`).join(' ')}] >>`,
    '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>',
  ];
  for (const [i, page] of pages.entries()) {
    const stream = page
      .split('\n')
      .map((line, n) => `BT /F1 12 Tf 72 ${720 - 16 * n} Td (${line}) Tj ET`)
      .join('\n');
    objects.push(
      `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents ${5 + 2 * i} 0 R /Resources << /Font << /F1 3 0 R >> >> >>`,
      `<< /Length ${stream.length} >>\nstream\n${stream}\nendstream`,
    );
  }
  let file = '%PDF-1.4\n';
  const offsets = objects.map((object, i) => {
    const offset = file.length;
    file += `${i + 1} 0 obj\n${object}\nendobj\n`;
    return offset;
  });
  const start = file.length;
  file += `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n`;
  file += offsets.map((offset) => `${String(offset).padStart(10, '0')} 00000 n \n`).join('');
  file += `trailer\n<< /Size ${objects.length + 1} /Root 1 0 R >>\nstartxref\n${start}\n%%EOF\n`;
  return strToU8(file, true);
}

function docx(body: string, more: Record<string, Uint8Array> = {}): Uint8Array {
  const main = 'application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml';
  const relation = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument';
  return zipSync({
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
  });
}
const paragraph = (text: string, style?: string) =>
  `<w:p>${style === undefined ? '' : `<w:pPr><w:pStyle w:val="${style}"/></w:pPr>`}<w:r><w:t>${text}</w:t></w:r></w:p>`;

const faultOf = (content: Uint8Array, format: 'text' | 'html' | 'pdf' | 'docx', limits = {}) =>
  new TextExtractor({ ...LIMITS, ...limits }).textOf(content, format).then(
    (text) => `no fault: ${text.slice(0, 100)}`,
    (error: unknown) => {
      if (error instanceof UnreadableDocument) return error.message;
      throw error;
    },
  );

describe('TextExtractor', () => {
  it('reads HTML, keeping headings and leaving out scripts and addresses', async () => {
    const html = `<html><head><title>t</title><style>p{}</style></head><body><h1>The <b>river</b></h1><p>It is
      <a href="https://example.com">long</a>.</p><h2>Source</h2><ul><li>one</li><li>two</li></ul>
      <script>alert(1)</script><table><tr><td>a</td><td>b</td></tr></table></body></html>`;
    const text = await extractor.textOf(strToU8(html), 'html');
    expect(text).toContain('# The river\n\nIt is long.\n\n## Source\n\n');
    expect(text).toMatch(/a +b/);
    expect(text).not.toMatch(/alert|example\.com|p\{\}/);
  });

  it('reads HTML in the character set that it names', async () => {
    const latin = Buffer.from('<meta charset="iso-8859-1"><p>caf\u00e9</p>', 'latin1');
    expect(await extractor.textOf(latin, 'html')).toBe('café');
  });

  it('reads PDF, page after page', async () => {
    const text = await extractor.textOf(pdf('The first page\nhas two lines.', 'The second page.'), 'pdf');
    expect(text).toBe('The first page\nhas two lines.\n\nThe second page.');
  });

  it('reads DOCX, with its headings', async () => {
    const body = paragraph('Chapter one', 'Heading1') + paragraph('It was a dark &amp; stormy night.');
    expect(await extractor.textOf(docx(body), 'docx')).toBe('# Chapter one\n\nIt was a dark & stormy night.');
  });

  it('says what is wrong with a file', async () => {
    expect(await faultOf(Buffer.from([0xff, 0x41]), 'text')).toBe('it is not UTF-8 text');
    expect(await faultOf(strToU8('hello'), 'pdf')).toMatch(/^it is not a PDF that can be read/);
    expect(await faultOf(pdf(''), 'pdf')).toMatch(/^its pages hold no text/);
    expect(await faultOf(strToU8('<p> </p>'), 'html')).toBe('it holds no text');
    expect(await faultOf(strToU8('hello'), 'docx')).toMatch(/^it is not a DOCX that can be read/);
    expect(await faultOf(docx('').slice(0, 300), 'docx')).toMatch(/archive|DOCX/);
    expect(await faultOf(zipSync({ a: strToU8('b') }), 'docx')).toMatch(/^it is not a DOCX that can be read/);
  });

  it('refuses archives that unpack to far more than a document holds', async () => {
    const bomb = docx(paragraph('x'), { 'word/media/zeros': new Uint8Array(30_000_000) });
    expect(bomb.length).toBeLessThan(100_000);
    expect(await faultOf(bomb, 'docx')).toBe('it unpacks to more than 10000000 bytes');
  });

  it('gives up on what takes too long, too much memory, or holds too much text', async () => {
    expect(await faultOf(strToU8('<p>x'), 'html', { timeoutMs: 1 })).toBe('reading it took longer than 1 ms');
    const huge = strToU8('<b><i>x</i></b>'.repeat(1_000_000));
    expect(await faultOf(huge, 'html', { maxMemoryBytes: 2 ** 26 })).toBe(
      'reading it takes more than 67108864 bytes of memory',
    );
    expect(await faultOf(strToU8('word '.repeat(300_000)), 'html')).toMatch(/^its text has 1499999 bytes; at most/);
  });

  it('survives HTML that is nested without end', async () => {
    const nested = strToU8(`<p>before</p>${'<div>'.repeat(20_000)}deep`);
    expect(await faultOf(nested, 'html')).toMatch(/^no fault: before/);
  });
});

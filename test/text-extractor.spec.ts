import { strToU8, zipSync } from 'fflate';
import { TextExtractor, UnreadableDocument } from '../src/downstream/filesystem/server/extraction/text-extractor.js';
import { docx, paragraph, pdf, pdfWithStream } from './sample-files.js';

const LIMITS = { timeoutMs: 15_000, maxMemoryBytes: 2 ** 28, maxTextBytes: 1_000_000 };
const extractor = new TextExtractor(LIMITS);

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
    expect(await faultOf(strToU8('hello'), 'docx')).toBe('it is not a DOCX: these are ZIP archives');
    expect(await faultOf(docx('').subarray(0, 300), 'docx')).toMatch(/^it is (a damaged archive|not a DOCX that can)/);
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
    expect(await faultOf(pdfWithStream(300_000_000), 'pdf', {})).toBe(
      'reading it takes more than 268435456 bytes of memory',
    );
    expect(await faultOf(strToU8('word '.repeat(300_000)), 'html')).toMatch(/^its text has 1499999 bytes; at most/);
  });

  it('survives HTML that is nested without end', async () => {
    const nested = strToU8(`<p>before</p>${'<div>'.repeat(20_000)}deep`);
    expect(await faultOf(nested, 'html')).toMatch(/^no fault: before/);
  });
});

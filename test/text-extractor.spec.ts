import { strToU8, zipSync } from 'fflate';
import { TextExtractor, UnreadableDocument } from '../src/downstream/filesystem/server/extraction/text-extractor.js';
import { docx, paragraph, pdf, pdfOfPage, pdfWithStream } from './sample-files.js';

const LIMITS = { timeoutMs: 15_000, maxMemoryBytes: 2 ** 28, maxTextBytes: 1_000_000 };
const extractor = new TextExtractor(LIMITS);

type Format = Parameters<TextExtractor['extract']>[1];
const textOf = async (content: Uint8Array, format: Format, charset?: string) =>
  (await extractor.extract(content, format, 'ada', charset)).text;
const faultOf = (content: Uint8Array, format: Format, limits = {}) =>
  new TextExtractor({ ...LIMITS, ...limits }).extract(content, format, 'ada').then(
    ({ text }) => `no fault: ${text.slice(0, 100)}`,
    (error: unknown) => {
      if (error instanceof UnreadableDocument) return error.message;
      throw error;
    },
  );

describe('TextExtractor', () => {
  it('reads HTML with its headings and without scripts and addresses', async () => {
    const html = `<html><head><title>t</title><style>p{}</style></head><body><h1>The <b>river</b></h1><p>It is
      <a href="https://example.com">long</a>.</p><h2>Source</h2><ul><li>one</li><li>two</li></ul>
      <script>alert(1)</script><table><tr><td>a</td><td>b</td></tr></table></body></html>`;
    const text = await textOf(strToU8(html), 'html');
    expect(text).toContain('# The river\n\nIt is long.\n\n## Source\n\n');
    expect(text).toContain('| a | b |');
    expect(text).not.toMatch(/alert|example\.com|p\{\}/);
  });

  it('reads HTML in the declared character set', async () => {
    const latin = Buffer.from('<meta charset="iso-8859-1"><p>caf\u00e9</p>', 'latin1');
    expect(await textOf(latin, 'html')).toBe('café');
  });

  it('reads PDF, page after page', async () => {
    const text = await textOf(pdf('The first page\nhas two lines.', 'The second page.'), 'pdf');
    expect(text).toBe('The first page\nhas two lines.\n\nThe second page.');
  });

  it('reads PDF whose fonts have a predefined CMap', async () => {
    const content = 'BT /F1 12 Tf 72 720 Td <65705636> Tj ET';
    const file = pdfOfPage(
      '/Resources << /Font << /F1 5 0 R >> >>',
      `<< /Length ${content.length} >>\nstream\n${content}\nendstream`,
      '<< /Type /Font /Subtype /Type0 /BaseFont /STSong-Light /Encoding /UniGB-UCS2-H /DescendantFonts [6 0 R] >>',
      `<< /Type /Font /Subtype /CIDFontType0 /BaseFont /STSong-Light /FontDescriptor 7 0 R
          /CIDSystemInfo << /Registry (Adobe) /Ordering (GB1) /Supplement 2 >> >>`,
      `<< /Type /FontDescriptor /FontName /STSong-Light /Flags 6 /FontBBox [-25 -254 1000 880] /ItalicAngle 0
          /Ascent 880 /Descent -120 /CapHeight 880 /StemV 93 >>`,
    );
    expect(await textOf(file, 'pdf')).toBe('数嘶');
  });

  it('reads the fields of a form and the notes in a PDF', async () => {
    const file = pdfOfPage(
      '/Annots [5 0 R 6 0 R 7 0 R]',
      '<< /Length 0 >>\nstream\n\nendstream',
      '<< /Type /Annot /Subtype /Widget /FT /Tx /T (city) /TU (Your city) /V (Ulm) /Rect [0 0 9 9] >>',
      '<< /Type /Annot /Subtype /FreeText /Contents (a kestrel) /DA (/Helv 12 Tf) /Rect [0 0 9 9] >>',
      '<< /Type /Annot /Subtype /Widget /FT /Tx /T (empty) /Rect [0 0 9 9] >>',
    );
    expect(await textOf(file, 'pdf')).toBe('Your city: Ulm\na kestrel');
  });

  it('joins hyphenated words at the ends of lines of a PDF, and keeps the hyphens of compounds', async () => {
    const page = 'photo-\nsynthesis of well-known and well-\nknown state-of-the-\nart things, 1990-\n2000 or A-\nB';
    expect(await textOf(pdf(page), 'pdf')).toBe(
      'photosynthesis of well-known and well-known state-of-the-art things, 1990-\n2000 or A-\nB',
    );
  });

  it('names the pages of a PDF without text', async () => {
    const { text, warnings } = await extractor.extract(pdf('cover', '', '', 'middle', ''), 'pdf', 'ada');
    expect(text).toBe('cover\n\nmiddle');
    expect(warnings).toEqual([
      expect.objectContaining({ code: 'pages_without_text', count: 3, place: 'pages 2-3, 5' }),
    ]);
  });

  it('reads DOCX, with its headings', async () => {
    const body = paragraph('Chapter one', 'Heading1') + paragraph('It was a dark &amp; stormy night.');
    expect(await textOf(docx(body), 'docx')).toBe('# Chapter one\n\nIt was a dark & stormy night.');
  });

  it('reads notes, comments and other parts of a DOCX beside its paragraphs', async () => {
    const box = '<w:txbxContent><w:p><w:r><w:t>in a box</w:t></w:r></w:p></w:txbxContent>';
    const body = [
      paragraph('Budget', 'Title'),
      `<w:p><w:r><mc:AlternateContent xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"><mc:Choice
        Requires="wps"><w:drawing>${box}</w:drawing></mc:Choice></mc:AlternateContent></w:r></w:p>`,
      '<w:p><w:fldSimple w:instr="DATE"><w:r><w:t>May 2024</w:t></w:r></w:fldSimple></w:p>',
      `<w:p><m:oMathPara xmlns:m="http://schemas.openxmlformats.org/officeDocument/2006/math"><m:oMath><m:r><m:t>E=m</m:t>
        </m:r><m:r><m:t>c2</m:t></m:r></m:oMath></m:oMathPara></w:p>`,
      '<w:p><w:del w:id="1"><w:r><w:delText>gone</w:delText></w:r></w:del><w:ins w:id="2"><w:r><w:t>new</w:t></w:r></w:ins></w:p>',
    ];
    const styles = '<w:style w:type="paragraph" w:styleId="Title"><w:name w:val="Title"/></w:style>';
    const part = (name: string, xml: string) =>
      strToU8(`<w:${name} xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main">${xml}</w:${name}>`);
    const file = docx(body.join(''), {
      'word/styles.xml': part('styles', styles),
      'word/header1.xml': part('hdr', paragraph('Confidential &amp; new')),
      'word/header2.xml': part('hdr', paragraph('Confidential &amp; new')),
      'word/footer1.xml': part('ftr', paragraph('Page foot')),
    });
    const { text, warnings } = await extractor.extract(file, 'docx', 'ada');
    expect(text).toBe('# Budget\n\nin a box\n\nMay 2024\n\nE=mc2\n\nnew\n\nConfidential & new\n\nPage foot');
    expect(warnings).toEqual([expect.objectContaining({ code: 'deletions_left_out', count: 1 })]);
  });

  it('reads DOCX whose links and pictures refer to nothing, and names the files that Word would insert', async () => {
    const r = 'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"';
    const body = [
      `<w:p><w:hyperlink ${r} r:id="missing"><w:r><w:t>a link</w:t></w:r></w:hyperlink></w:p>`,
      `<w:p><w:r><w:pict><v:shape xmlns:v="urn:schemas-microsoft-com:vml"><v:imagedata ${r} r:id="gone"/></v:shape></w:pict></w:r></w:p>`,
      `<w:altChunk ${r} r:id="chunk"/>`,
    ];
    const { text, warnings } = await extractor.extract(docx(body.join('')), 'docx', 'ada');
    expect(text).toBe('a link');
    expect(warnings).toEqual([expect.objectContaining({ code: 'embedded_files_left_out', count: 1 })]);
  });

  it('uses the first row of a table in DOCX as its header', async () => {
    const row = (...cells: string[]) =>
      `<w:tr>${cells.map((cell) => `<w:tc>${paragraph(cell)}</w:tc>`).join('')}</w:tr>`;
    const file = docx(`<w:tbl>${row('Item', 'Price')}${row('Boat', '7')}</w:tbl>`);
    expect(await textOf(file, 'docx')).toBe('| Item | Price |\n| --- | --- |\n| Boat | 7 |');
  });

  it('reads e-mail: its headers, its body in any encoding, and the names of attachments', async () => {
    const base64 = (text: string) => Buffer.from(text).toString('base64');
    const mail = [
      'From: Ada <a@example.com>',
      'To: b@example.com',
      `Subject: =?utf-8?B?${base64('Rechnung für Mai')}?=`,
      'MIME-Version: 1.0',
      'Content-Type: multipart/mixed; boundary=x',
      '',
      '--x',
      'Content-Type: text/plain; charset=utf-8',
      'Content-Transfer-Encoding: base64',
      '',
      base64('Die Lieferung verspätet sich.'),
      '--x',
      'Content-Type: application/pdf',
      'Content-Disposition: attachment; filename="bill.pdf"',
      '',
      'x',
      '--x--',
    ].join('\r\n');
    const { text, warnings } = await extractor.extract(strToU8(mail), 'eml', 'ada');
    expect(text).toBe(
      '# Rechnung für Mai\n\nFrom: Ada <a@example.com>\nTo: b@example.com\n\nDie Lieferung verspätet sich.',
    );
    expect(warnings).toEqual([
      { code: 'attachments_apart', detail: 'the attachments are not part of the text: bill.pdf', count: 1 },
    ]);
    const html = 'Subject: hi\r\nContent-Type: text/html\r\n\r\n<p>one</p><p>two</p>';
    expect(await textOf(strToU8(html), 'eml')).toBe('# hi\n\none\n\ntwo');
  });

  it('reads Jupyter notebooks, with the printed output and without pictures', async () => {
    const notebook = {
      metadata: { language_info: { name: 'python' } },
      cells: [
        { cell_type: 'markdown', source: ['# Plan\n', 'We count.'] },
        {
          ...{ cell_type: 'code', source: 'print(1)' },
          outputs: [{ text: ['1\n'] }, { data: { 'image/png': 'AAAA', 'text/plain': '<Figure>' } }],
        },
        {
          ...{ cell_type: 'code', source: '' },
          outputs: [
            { data: { 'text/plain': '<IPython.core.display.Markdown object>', 'text/markdown': '## Result' } },
            { data: { 'text/plain': '<Latex object>', 'text/latex': ['$x', '^2$'] } },
            { data: { 'text/html': '<p>from <b>HTML</b></p>' } },
          ],
        },
      ],
    };
    const { text, warnings } = await extractor.extract(strToU8(JSON.stringify(notebook)), 'ipynb', 'ada');
    expect(text).toBe(
      '# Plan\nWe count.\n\n```python\nprint(1)\n```\n\n```text\n1\n```\n\n```text\n<Figure>\n```\n\n## Result\n\n$x^2$\n\nfrom HTML',
    );
    expect(warnings).toEqual([expect.objectContaining({ code: 'pictures_left_out', count: 1 })]);
    expect(await faultOf(strToU8('{"a": 1}'), 'ipynb')).toMatch(/no list "cells"/);
    expect(await faultOf(strToU8('{"cells": [null, 3]}'), 'ipynb')).toMatch(/^it can't be read/);
  });

  it('reports the fault of a file', async () => {
    expect(await faultOf(strToU8('hello'), 'pdf')).toMatch(/^it is not a PDF that can be read/);
    expect(await faultOf(pdf(''), 'pdf')).toMatch(/^its pages hold no text/);
    expect(await faultOf(strToU8('<p> </p>'), 'html')).toBe('it holds no text');
    expect(await faultOf(strToU8('hello'), 'docx')).toBe('it is not a DOCX: these are ZIP archives');
    expect(await faultOf(docx('').subarray(0, 300), 'docx')).toMatch(/^it is (a damaged archive|not a DOCX that can)/);
    expect(await faultOf(zipSync({ a: strToU8('b') }), 'docx')).toMatch(/^it is not a DOCX that can be read/);
  });

  it('refuses archives that unpack to far more than a document', async () => {
    const bomb = docx(paragraph('x'), { 'word/media/zeros': new Uint8Array(30_000_000) });
    expect(bomb.length).toBeLessThan(100_000);
    expect(await faultOf(bomb, 'docx')).toBe('it unpacks to more than 10000000 bytes');
  });

  it('stops at too much time, memory or text', async () => {
    expect(await faultOf(strToU8('<p>x'), 'html', { timeoutMs: 1 })).toBe('reading it took longer than 1 ms');
    const huge = strToU8('<b><i>x</i></b>'.repeat(1_000_000));
    expect(await faultOf(huge, 'html', { maxMemoryBytes: 2 ** 26 })).toBe(
      'reading it takes more than 67108864 bytes of memory',
    );
    expect(await faultOf(pdfWithStream(300_000_000), 'pdf', { timeoutMs: 120_000 })).toBe(
      'reading it takes more than 268435456 bytes of memory',
    );
    expect(await faultOf(strToU8('word '.repeat(300_000)), 'html')).toMatch(/^its text has 1499999 bytes; at most/);
  });

  it('reads HTML to its end, however deep its elements are', async () => {
    const nested = strToU8(`<p>before</p>${'<div>'.repeat(20_000)}deep`);
    expect(await textOf(nested, 'html')).toBe('before\n\ndeep');
    const unclosed = Array.from({ length: 3000 }, (_, n) => `<p><font>paragraph ${n}.`).join('');
    expect(await textOf(strToU8(unclosed), 'html')).toMatch(/^paragraph 0\.\n\nparagraph 1\.[^]*paragraph 2999\.$/);
  });

  it('separates the words of neighbouring blocks of HTML, and joins the parts of a word', async () => {
    const blocks =
      '<dl><dt>timeout</dt><dd>seconds</dd><dt>retries</dt></dl><details><summary>more</summary>less</details>';
    expect(await textOf(strToU8(blocks), 'html')).toBe('timeout\nseconds\nretries\nmore\nless');
    expect(await textOf(strToU8('<p>Was&shy;ser<b>fall</b>\n <i>und</i> <span>See</span><br>a<wbr>b'), 'html')).toBe(
      'Wasserfall und See\nab',
    );
  });

  it('writes tables of HTML as Markdown tables, and layout tables as paragraphs', async () => {
    const data = '<table><tr><th>maxRetries (mA)</th><th>Größe</th></tr><tr><td>7</td><td>a|b</td></tr></table>';
    expect(await textOf(strToU8(data), 'html')).toBe('| maxRetries (mA) | Größe |\n| --- | --- |\n| 7 | a\\|b |');
    const layout = '<table><tr><td><h1>Top</h1><p>One</p></td><td>Two</td></tr></table>after';
    expect(await textOf(strToU8(layout), 'html')).toBe('# Top\n\nOne\n\nTwo\n\nafter');
  });

  it.each([
    ['<title>Guide</title><h1>Guide</h1><p>Text.', '# Guide\n\nText.'],
    ['<title>Guide</title><h2>Start</h2><p>Text.', '# Guide\n\n## Start\n\nText.'],
    ['<title>Guide</title><p>Guide to pears.', '# Guide\n\nGuide to pears.'],
    ['<h1>Guide</h1><pre># update first\nmake</pre>', '# Guide\n\n```\n# update first\nmake\n```'],
    ['<pre>a ``` b\n# c</pre>', '````\na ``` b\n# c\n````'],
    ['<table><tr><td><pre># a</pre></td><td>b</td></tr></table>', '```\n# a\n```\n\nb'],
  ])('keeps the title a heading, and no line of preformatted text: %j', async (html, expected) => {
    expect((await extractor.extract(strToU8(html), 'html', 'ada')).text).toBe(expected);
  });

  it('reads lists, preformatted text, the title and the descriptions of pictures, and names pictures without one', async () => {
    const html = `<title>The manual</title><body><ol><li><p>one</p><ul><li>sub</ul><li>two</ol><pre>a\n  b</pre>
      <img alt="a red kite"><img src="x.png"></body>`;
    const { text, warnings } = await extractor.extract(strToU8(html), 'html', 'ada');
    expect(text).toBe('# The manual\n\n1. one\n\n  - sub\n\n2. two\n\na\n  b\n\na red kite');
    expect(warnings).toEqual([expect.objectContaining({ code: 'pictures_without_text', count: 1 })]);
  });

  const german = 'Die Straße nach Köln ist schön';
  it.each([
    ['a byte order mark before the meta element', `\ufeff<meta charset=iso-8859-1><p>${german}`, 'utf8', undefined],
    ['UTF-8 where a meta element in ASCII says UTF-16', `<meta charset="utf-16"><p>${german}`, 'utf8', undefined],
    [
      'the XML declaration',
      `<?xml version="1.0" encoding="iso-8859-1"?><html><p>${german}</p></html>`,
      'latin1',
      undefined,
    ],
    ['the charset of the request before the meta element', `<meta charset=koi8-r><p>${german}`, 'latin1', 'iso-8859-1'],
    ['the charset of the request', `<p>${german}`, 'utf16le', 'utf-16'],
    ['detection where nothing is declared', `<p>${german}`, 'latin1', undefined],
  ] as const)('reads HTML by %s', async (_what, html, encoding, charset) => {
    expect(await textOf(Buffer.from(html, encoding), 'html', charset)).toBe(german);
  });

  it.each([
    ['tags named like members of every object', '<__proto__>x</__proto__><constructor>y</constructor><toString>z'],
    ['attributes named so', '<p class="__proto__" constructor=x hasOwnProperty>z</p>'],
    ['a cell that spans four billion columns', '<table><tr><td colspan="4294967296">x</td><td>y</td></tr></table>'],
    [
      'a cell that spans four billion rows',
      '<table><tr><td rowspan="4294967296">x</td></tr><tr><td>z</td></tr></table>',
    ],
    ['a cell that spans minus one columns', '<table><tr><td colspan="-1">x</td><td>y</td></tr></table>'],
    ['lists with numbers beyond all bounds', '<ol start="99999999999999999999" type="i"><li>x</li></ol>'],
    ['characters that are none', 'x &#1114112;&#xD800;&#0; &#99999999999;'],
    ['tables in tables', '<table><tr><td>'.repeat(5000)],
    ['quotations in quotations', '<blockquote>'.repeat(3000) + 'x'],
  ])('answers to HTML with %s', async (_, html) => {
    expect(await faultOf(strToU8(html), 'html', { timeoutMs: 3000 })).toMatch(/^(no fault|it |reading it )/);
  });

  it('leaves a place to others while one user sends slow files', async () => {
    const busy = new TextExtractor({ ...LIMITS, timeoutMs: 3000 });
    const slow = strToU8('<div>'.repeat(400_000));
    const hogs = Array.from({ length: 20 }, () => busy.extract(slow, 'html', 'eve').catch((error: unknown) => error));
    const beganMs = performance.now();
    expect((await busy.extract(strToU8('<p>mine</p>'), 'html', 'bob')).text).toBe('mine');
    expect(performance.now() - beganMs).toBeLessThan(2500);
    const ends = await Promise.all(hogs);
    const refused = ends.filter((end) => (end as { problem?: { status: number } }).problem?.status === 429);
    expect(refused.length).toBeGreaterThanOrEqual(17);
  }, 30_000);
});

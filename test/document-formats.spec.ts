import iconv from 'iconv-lite';
import { strToU8 } from 'fflate';
import { TextExtractor } from '../src/downstream/filesystem/server/extraction/text-extractor.js';
import type { ReadFormat } from '../src/downstream/filesystem/server/extraction/extraction.child.js';
import { doc, msg, xls } from './ole-files.js';
import { epub, opendocument, pptx, type SheetSpec, shape, styled, xlsx, zipOf } from './office-files.js';

const LIMITS = { timeoutMs: 15_000, maxMemoryBytes: 2 ** 28, maxTextBytes: 1_000_000 };
const extractor = new TextExtractor(LIMITS);
const extract = (file: Uint8Array, format: ReadFormat, charset?: string) =>
  extractor.extract(file, format, 'ada', charset);
const faultOf = (file: Uint8Array, format: ReadFormat) =>
  extract(file, format).then(
    () => 'no fault',
    (error: unknown) => (error as Error).message,
  );
const codes = ({ warnings }: { warnings: { code: string; count?: number }[] }) =>
  warnings.map(({ code, count }) => [code, count]);

const PEOPLE: SheetSpec = {
  name: 'People',
  rows: [
    ['Staff 2024'],
    [],
    ['Name', 'Born', 'Pay', 'Share'],
    ['Ada|L', styled('dd.mm.yyyy', 45000), styled('#,##0.00 "€"', 1234.5), styled('0%', 0.25)],
    ['Bob', styled('yyyy\\-mm\\-dd', 45001), 7, { xml: '><f>C5*2</f>' }],
  ],
};

describe('spreadsheets', () => {
  it('are read sheet by sheet, with the displayed numbers and dates', async () => {
    const file = xlsx([PEOPLE, { name: 'Old', state: 'hidden', rows: [['secret', 1]] }], { 'xl/media/a.png': 'x' });
    const read = await extract(file, 'xlsx');
    expect(read.text).toBe(
      `# People\n\nStaff 2024\n\n| Name | Born | Pay | Share |\n| --- | --- | --- | --- |
| Ada\\|L | 15.03.2023 | 1,234.50 € | 25% |\n| Bob | 2023-03-16 | 7 | =C5*2 |\n\n# Old\n\n| A | B |\n| --- | --- |\n| secret | 1 |`,
    );
    expect(codes(read)).toEqual([
      ['hidden_sheets_read', 1],
      ['formulas_without_value', 1],
      ['pictures_left_out', 1],
    ]);
  });

  it('repeat the column names in each row where there are many columns', async () => {
    const header = Array.from({ length: 40 }, (_, i) => `Measure ${i}`);
    const { text } = await extract(xlsx([{ name: 'S', rows: [header, header.map((_, i) => i)] }]), 'xlsx');
    expect(text).toMatch(/^# S\n\nMeasure 0: 0; Measure 1: 1; .*Measure 39: 39$/);
  });

  it('have no columns without text, wherever the last one is', async () => {
    const far = '<row r="1048576"><c r="XFD1048576"><v>9</v></c></row>';
    const sheet = `<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><dimension ref="A1:XFD1048576"/><sheetData><row r="1"><c r="A1"><v>1</v></c></row>${far}</sheetData></worksheet>`;
    const { text } = await extract(xlsx([{ name: 'S', rows: [] }], { 'xl/worksheets/sheet1.xml': sheet }), 'xlsx');
    expect(text).toBe('# S\n\n| A | XFD |\n| --- | --- |\n| 1 |  |\n|  | 9 |');
  });

  it('of Excel 97 are read', async () => {
    const { text } = await extract(
      xls('Größen', [
        ['Name', 'Sum'],
        ['Zoë', 7],
      ]),
      'xls',
    );
    expect(text).toBe('# Größen\n\n| Name | Sum |\n| --- | --- |\n| Zoë | 7 |');
    expect(await faultOf(xls('S', [['a', 'b']]).subarray(0, 900), 'xls')).not.toBe('no fault');
  });

  it('of OpenDocument are read as displayed, with comments, and without endless repetitions', async () => {
    const cell = (shown: string, attributes = '') =>
      `<table:table-cell ${attributes}><text:p>${shown}</text:p></table:table-cell>`;
    const row = (...cells: string[]) => `<table:table-row>${cells.join('')}</table:table-row>`;
    const note =
      '<table:table-cell><office:annotation><dc:creator>x</dc:creator><text:p>check</text:p></office:annotation><text:p>25 %</text:p></table:table-cell>';
    const body = `<table:table table:name="Lager">${row(cell('Preis'), cell('Datum'), cell('Rabatt'))}
      ${row(cell('1.234,50 €', 'office:value="1234.5"'), cell('03.05.2024'), note)}
      <table:table-row table:number-rows-repeated="1048000">${cell('', 'table:number-columns-repeated="16384"')}</table:table-row></table:table>
      <table:table table:name="Weg" table:style-name="h">${row(cell('q', 'table:number-columns-repeated="2000"'))}</table:table>`;
    const hidden = '<style:style style:name="h"><style:table-properties table:display="false"/></style:style>';
    const read = await extract(opendocument('spreadsheet', body, hidden), 'ods');
    expect(read.text).toContain(
      '# Lager\n\n| Preis | Datum | Rabatt |\n| --- | --- | --- |\n| 1.234,50 € | 03.05.2024 | 25 % |\n\nComment on C2: check\n\n# Weg',
    );
    expect(codes(read)).toEqual([
      ['hidden_sheets_read', 1],
      ['repeated_cells_cut', 1000],
    ]);
  });

  it('with endless repetitions of cells are refused at once', async () => {
    const cell = '<table:table-cell table:number-columns-repeated="1000000"><text:p>word</text:p></table:table-cell>';
    const row = `<table:table-row table:number-rows-repeated="1000000">${cell}</table:table-row>`;
    const file = opendocument('spreadsheet', `<table:table>${row.repeat(1000)}</table:table>`);
    expect(await faultOf(file, 'ods')).toBe('its cells hold more than 1000000 characters');
  });

  it('are refused with their fault', async () => {
    expect(await faultOf(strToU8('a,b'), 'xlsx')).toBe('it is not an XLSX: these are ZIP archives');
    expect(await faultOf(xlsx([PEOPLE]).subarray(0, 900), 'xlsx')).toMatch(
      /^it is (a damaged archive|not an XLSX that)/,
    );
    expect(await faultOf(zipOf({ a: 'b' }), 'xlsx')).toMatch(/^it is not an XLSX that can be read/);
    const locked = Buffer.concat([Buffer.from('d0cf11e0a1b11ae1', 'hex'), Buffer.from('EncryptedPackage', 'utf16le')]);
    for (const format of ['xlsx', 'docx', 'pptx', 'xls'] as const) {
      expect(await faultOf(locked, format)).toBe('it is protected by a password');
    }
    const bomb = xlsx([PEOPLE], { 'xl/zeros.xml': new Uint8Array(30_000_000) });
    expect(await faultOf(bomb, 'xlsx')).toBe('it unpacks to more than 10000000 bytes');
  });
});

describe('presentations', () => {
  const table = `<p:graphicFrame><a:tbl>${[
    ['City', 'Size'],
    ['Oslo', '7'],
  ]
    .map(
      (row) =>
        `<a:tr>${row.map((text) => `<a:tc><a:txBody><a:p><a:r><a:t>${text}</a:t></a:r></a:p></a:txBody></a:tc>`).join('')}</a:tr>`,
    )
    .join('')}</a:tbl></p:graphicFrame>`;
  const picture = (description: string) =>
    `<p:pic><p:nvPicPr><p:cNvPr id="1" name="p" descr="${description}"/></p:nvPicPr><p:blipFill/></p:pic>`;

  it('are read slide by slide in their order, with tables, notes and descriptions of pictures', async () => {
    const first = { shapes: shape('Ada\nBob') + shape('Welcome', 'title') + shape('3', 'sldNum'), notes: 'Smile.' };
    const second = { shapes: shape('Plan', 'ctrTitle') + table + picture('a red kite') + picture(''), isHidden: true };
    const read = await extract(pptx([first, second], { 'ppt/media/a.mp4': 'x' }), 'pptx');
    expect(read.text).toBe(
      '# Welcome\n\nAda\n\nBob\n\nNotes: Smile.\n\n# Plan\n\n| City | Size |\n| --- | --- |\n| Oslo | 7 |\n\na red kite',
    );
    expect(read.pages).toEqual([
      { page: 1, start: 0 },
      { page: 2, start: read.text.indexOf('# Plan') },
    ]);
    expect(codes(read)).toEqual([
      ['pictures_without_text', 1],
      ['hidden_slides_read', 1],
      ['media_left_out', 1],
    ]);
  });

  it('have diagrams and comments', async () => {
    const related = { d: ['diagramData', '../diagrams/data1.xml'], c: ['comments', '../comments/c1.xml'] } as const;
    const file = pptx([{ shapes: shape('T', 'title'), relations: { d: [...related.d], c: [...related.c] } }], {
      'ppt/diagrams/data1.xml': '<dgm:x><a:p><a:r><a:t>step one</a:t></a:r></a:p></dgm:x>',
      'ppt/comments/c1.xml': '<p:cmLst><p:cm><p:text>too long</p:text></p:cm></p:cmLst>',
    });
    expect((await extract(file, 'pptx')).text).toBe('# T\n\nstep one\n\nComment: too long');
  });

  it('of OpenDocument are read the same way', async () => {
    const frame = (kind: string, text: string) =>
      `<draw:frame presentation:class="${kind}"><draw:text-box><text:p>${text}</text:p></draw:text-box></draw:frame>`;
    const body = `<draw:page>${frame('outline', 'Points')}${frame('title', 'Welcome')}<presentation:notes>${frame('notes', 'Smile.')}</presentation:notes></draw:page>
      <draw:page draw:style-name="h">${frame('title', 'Plan')}${frame('page-number', '&lt;number&gt;')}<draw:custom-shape><text:p>Box</text:p></draw:custom-shape></draw:page>`;
    const hidden =
      '<style:style style:name="h"><style:drawing-page-properties presentation:visibility="hidden"/></style:style>';
    const read = await extract(opendocument('presentation', body, hidden), 'odp');
    expect(read.text).toBe('# Welcome\n\nPoints\n\nNotes: Smile.\n\n# Plan\n\nBox');
    expect(read.pages?.map(({ page }) => page)).toEqual([1, 2]);
    expect(codes(read)).toEqual([['hidden_slides_read', 1]]);
  });
});

describe('texts of other programs', () => {
  it('of OpenDocument have headings, lists, tables, notes, headers and footers', async () => {
    const body = `<text:tracked-changes><text:deletion><text:p>gone</text:p></text:deletion></text:tracked-changes>
      <text:p text:style-name="Title">Report</text:p><text:h text:outline-level="2">Part<text:s text:c="2"/>one</text:h>
      <text:p>Otters<text:note><text:note-citation>1</text:note-citation><text:note-body><text:p>a kind of marten</text:p></text:note-body></text:note> swim<text:line-break/>well.</text:p>
      <text:list><text:list-item><text:p>one</text:p></text:list-item></text:list>
      <table:table><table:table-row><table:table-cell><text:p>City</text:p></table:table-cell><table:table-cell><text:p>Size</text:p></table:table-cell></table:table-row>
      <table:table-row><table:table-cell><text:p>Oslo</text:p></table:table-cell><table:table-cell><text:p>7</text:p></table:table-cell></table:table-row></table:table>
      <text:p><draw:frame><draw:image/></draw:frame></text:p>`;
    const styles =
      '<style:header><text:p>Top secret</text:p></style:header><style:header><text:p>Top secret</text:p></style:header>';
    const read = await extract(opendocument('text', body, '', { 'styles.xml': styles }), 'odt');
    expect(read.text).toBe(
      '# Report\n\n## Part one\n\nOtters (a kind of marten) swim\nwell.\n\n- one\n\n| City | Size |\n| --- | --- |\n| Oslo | 7 |\n\nTop secret',
    );
    expect(codes(read)).toEqual([
      ['pictures_without_text', 1],
      ['deletions_left_out', 1],
    ]);
  });

  it('of Word 97 are paragraphs, with a warning', async () => {
    const read = await extract(doc('Otters swim.\rGrüße'), 'doc');
    expect(read.text).toBe('Otters swim.\n\nGrüße');
    expect(codes(read)).toEqual([['layout_left_out', undefined]]);
    expect(await faultOf(strToU8('hello'), 'doc')).toBe('it is not a DOC: these are OLE files');
    expect(await faultOf(doc('x').subarray(0, 700), 'doc')).toMatch(/^it can't be read/);
  });

  it('in RTF have their characters, in code pages and in Unicode, and no control words', async () => {
    const rtf = String.raw`{\rtf1\ansi\ansicpg1252{\fonttbl{\f0\fcharset0 Arial;}{\f1\fcharset204 Arial Cyr;}}{\colortbl;\red0;}
{\*\generator x;}{\info{\title no}}{\stylesheet{\s1\outlinelevel0 heading 1;}}\pard\outlinelevel1 On {\b otters}\par\pard Gr\'fc\'dfe \u8364?uro \f1\'cf\'f0\'e8\'e2\'e5\'f2\f0\par
{\field{\*\fldinst HYPERLINK "http://x"}{\fldrslt a link}}\tab \{braces\}\line next\par
\trowd A\cell B\cell\row {\pict\pngblip 89504e47}\uc2\u20320??\u22909?? end}`;
    const read = await extract(strToU8(rtf, true), 'rtf');
    expect(read.text).toBe(
      '## On otters\n\nGrüße €uro Привет\n\na link {braces}\nnext\n\nA | B\n你好 end\n\nTitle: no',
    );
    expect(codes(read)).toEqual([['pictures_left_out', 1]]);
    const aside = String.raw`{\rtf1 seen{\*\atnid A}{\*\atnauthor Ada}{\*\annotation {\*\atndate 1}why?} by{\shp{\*\shpinst{\sp{\sn a}{\sv 1}}{\shptxt a box}}} all}`;
    expect((await extract(strToU8(aside), 'rtf')).text).toBe('seen (why?) by (a box) all');
    expect(codes(await extract(strToU8('{\\rtf1 {\\b cut'), 'rtf'))).toEqual([['file_cut_short', undefined]]);
    expect(await faultOf(strToU8('hello'), 'rtf')).toMatch(/^it is not RTF/);
  });

  it('in EPUB are in reading order, with title and author', async () => {
    const read = await extract(
      epub('The Book', ['<h1>One</h1><p>first</p>', '<h1>Two</h1><img src="a.png"/>']),
      'epub',
    );
    expect(read.text).toBe('# The Book\n\nAda\n\n# One\n\nfirst\n\n# Two');
    expect(codes(read)).toEqual([['pictures_without_text', 1]]);
    const locked = epub('B', ['x'], {
      'META-INF/encryption.xml': '<e><CipherReference URI="OEBPS/text/1%20x.xhtml"/></e>',
    });
    expect(await faultOf(locked, 'epub')).toBe('its chapters are encrypted (DRM)');
    expect(await faultOf(zipOf({ a: 'b' }), 'epub')).toMatch(/^it is not an EPUB/);
  });

  it('of subtitles are running text with times', async () => {
    const srt =
      '1\r\n00:01:02,345 --> 00:01:04,000\r\n<i>Where are</i>\r\nthe otters?\r\n\r\n2\r\n00:01:04,100 --> 00:01:05,000\r\nIn the river.\r\n\r\n3\r\n01:00:00,000 --> 01:00:01,000\r\nGrün.';
    expect((await extract(iconv.encode(srt, 'windows-1252'), 'subtitles', 'windows-1252')).text).toBe(
      '[00:01:02] Where are the otters? In the river.\n\n[01:00:00] Grün.',
    );
    const vtt = 'WEBVTT\n\nNOTE x\n\n00:02.000 --> 00:04.000 align:start\n<v Ada>Hello &amp; welcome';
    expect((await extract(strToU8(vtt), 'subtitles')).text).toBe('[00:00:02] Ada: Hello & welcome');
    expect(await faultOf(strToU8('hello'), 'subtitles')).toMatch(/^it holds no cues/);
  });
});

describe('mail', () => {
  const message = (subject: string, body: string) =>
    `From: Ada <a@example.com>\nSubject: ${subject}\nContent-Type: multipart/mixed; boundary=x\n\n--x\nContent-Type: text/plain\n\n${body}\n--x\nContent-Type: text/csv\nContent-Disposition: attachment; filename="${subject}.csv"\n\na,b\n--x--\n`;

  it('in a mailbox is read message by message, and its attachments are separate', async () => {
    const mbox = Buffer.from(
      `From ada@example.com Fri May  3 10:00:00 2024\n${message('one', 'text\n\n>From here on')}\nFrom bob@example.com Sat May  4 10:00:00 2024\n${message('two', 'more\n\nFrom now on it rains')}`,
    );
    const read = await extract(mbox, 'mbox');
    expect(read.text).toBe(
      '# one\n\nFrom: Ada <a@example.com>\n\ntext\n\nFrom here on\n\n# two\n\nFrom: Ada <a@example.com>\n\nmore\n\nFrom now on it rains',
    );
    expect(codes(read)).toEqual([['attachments_apart', 2]]);
    const attached = await extractor.attachments(mbox, 'mbox', 'ada');
    expect(
      attached.map(({ name, mediaType, content }) => [name, mediaType, Buffer.from(content).toString().trim()]),
    ).toEqual([
      ['one.csv', 'text/csv', 'a,b'],
      ['two.csv', 'text/csv', 'a,b'],
    ]);
    expect(await faultOf(strToU8('hello'), 'mbox')).toMatch(/^it is not an MBOX/);
  });

  it('of Outlook has sender, recipients and attachments', async () => {
    const file = msg('Quarterly', 'The body. Grüße', { name: 'list.csv', type: 'text/csv', content: 'a,b' });
    const read = await extract(file, 'msg');
    expect(read.text).toBe('# Quarterly\n\nFrom: Ada <ada@example.com>\nTo: Bob <bob@example.com>\n\nThe body. Grüße');
    expect(codes(read)).toEqual([['attachments_apart', 1]]);
    const [attached] = await extractor.attachments(file, 'msg', 'ada');
    expect([attached?.name, attached?.mediaType, Buffer.from(attached!.content).toString()]).toEqual([
      'list.csv',
      'text/csv',
      'a,b',
    ]);
    expect(await faultOf(strToU8('hello'), 'msg')).toMatch(/^it is not an MSG/);
  });

  it('of saved pages is the page', async () => {
    const mhtml =
      'From: <Saved by Blink>\nMIME-Version: 1.0\nContent-Type: multipart/related; type="text/html"; boundary=b\n\n--b\nContent-Type: text/html\nContent-Transfer-Encoding: quoted-printable\n\n<h1>Gr=C3=BCn</h1><p>page</p>\n--b\nContent-Type: image/png\nContent-Location: http://x/a.png\n\nx\n--b--\n';
    expect((await extract(strToU8(mhtml), 'mhtml')).text).toBe('# Grün\n\npage');
  });
});

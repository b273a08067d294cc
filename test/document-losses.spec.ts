import * as workbooks from '@e965/xlsx';
import { strToU8, unzipSync, zipSync } from 'fflate';
import type { ReadFormat } from '../src/downstream/filesystem/server/extraction/extraction.child.js';
import { TextExtractor } from '../src/downstream/filesystem/server/extraction/text-extractor.js';
import { epub, opendocument, pptx, relations, shape, xlsx } from './office-files.js';
import { doc, msg, record, storedRtf, summary, xls } from './ole-files.js';
import { docx, paragraph, pdfOfContents, pdfOfPage } from './sample-files.js';

const extractor = new TextExtractor({ timeoutMs: 15_000, maxMemoryBytes: 2 ** 28, maxTextBytes: 1_000_000 });

/** A file with one thing in it that a person may look for, and where that is found: in the text, or in a warning. */
type Case = [
  what: string,
  format: ReadFormat,
  file: Uint8Array,
  text: string | RegExp | undefined,
  lost?: [string, number?],
];

const word = (name: string, xml: string) =>
  strToU8(`<w:${name} xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main">${xml}</w:${name}>`);
const core = `<cp:coreProperties xmlns:dc="d" xmlns:cp="c"><dc:title>Quay plan</dc:title><dc:creator>Ada Harbour</dc:creator>
  <cp:keywords>mooring</cp:keywords><dc:description>dues of &amp; ships</dc:description></cp:coreProperties>`;
const custom = '<Properties><property name="Client"><vt:lpwstr>Bosun Ltd</vt:lpwstr></property></Properties>';
const PROPERTIES =
  /Title: Quay plan\nAuthor: Ada Harbour\nKeywords: mooring\nDescription: dues of & ships\nClient: Bosun Ltd$/;
const drawn = (text: string) => `<x><a:p><a:r><a:t>${text}</a:t></a:r></a:p></x>`;
const points = (...values: string[]) =>
  values.map((value, i) => `<c:pt idx="${i}"><c:v>${value}</c:v></c:pt>`).join('');
const chart = `<c:chartSpace><c:title><a:p><a:r><a:t>Catch by port</a:t></a:r></a:p></c:title><c:ser><c:tx>${points('Herring')}</c:tx>
  <c:cat>${points('Bergen', 'Hull')}</c:cat><c:val>${points('12', '34')}</c:val></c:ser></c:chartSpace>`;
const CHART = /Catch by port\n\n\|\s+\| Herring \|\n\| --- \| --- \|\n\| Bergen \| 12 \|\n\| Hull \| 34 \|/;
const body = paragraph('Text.');
const slide = { shapes: shape('Plan', 'title') };
const sheet = (cells: string, behind: string) => ({
  'xl/worksheets/sheet1.xml': `<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>${cells}</sheetData>${behind}</worksheet>`,
});
const one = [{ name: 'S', rows: [['owl']] }];
const odtBody = '<text:p>Text.</text:p>';
const meta = `<office:meta><dc:title>Quay plan</dc:title><meta:keyword>mooring</meta:keyword><meta:user-defined meta:name="Client">Bosun Ltd</meta:user-defined></office:meta>`;
const ODF_PROPERTIES = /Title: Quay plan\nKeywords: mooring\nClient: Bosun Ltd$/;

/** An XLSB whose sheet has this header, and no other margins. */
function xlsbWithHeader(header: string): Uint8Array {
  const book = workbooks.utils.book_new(workbooks.utils.aoa_to_sheet([['owl']]), 'S');
  const parts = unzipSync(new Uint8Array(workbooks.write(book, { type: 'buffer', bookType: 'xlsb' }) as Buffer));
  const name = 'xl/worksheets/sheet1.bin';
  const length = Buffer.alloc(4);
  length.writeUInt32LE(header.length);
  const texts = [length, Buffer.from(header, 'utf16le'), Buffer.alloc(20, 0xff)];
  const record = Buffer.concat([Buffer.alloc(2), ...texts]);
  const size = [(record.length & 0x7f) | 0x80, record.length >> 7];
  // The record that ends a sheet has three bytes.
  const sheetPart = Buffer.from(parts[name] as Uint8Array);
  const end = sheetPart.length - 3;
  const begun = Buffer.from([0xdf, 0x03, ...size]);
  parts[name] = Buffer.concat([sheetPart.subarray(0, end), begun, record, sheetPart.subarray(end)]);
  return zipSync(parts);
}

const DOCX: Case[] = [
  [
    'properties',
    'docx',
    docx(body, { 'docProps/core.xml': strToU8(core), 'docProps/custom.xml': strToU8(custom) }),
    PROPERTIES,
  ],
  ['a chart', 'docx', docx(body, { 'word/charts/chart1.xml': strToU8(chart) }), CHART, ['charts_left_out', 1]],
  ['a diagram', 'docx', docx(body, { 'word/diagrams/data1.xml': strToU8(drawn('first anchor')) }), 'first anchor'],
  [
    'the description of a shape',
    'docx',
    docx(
      '<w:p><w:r><w:drawing><wp:inline><wp:docPr id="1" descr="a map of reefs"/></wp:inline></w:drawing></w:r></w:p>',
    ),
    'a map of reefs',
  ],
  [
    'deleted notes',
    'docx',
    docx(body, { 'word/footnotes.xml': word('footnotes', '<w:del w:id="1"/>') }),
    undefined,
    ['deletions_left_out', 1],
  ],
  [
    'a control of a form',
    'docx',
    docx(body, { 'word/activeX/activeX1.xml': strToU8('<a/>') }),
    undefined,
    ['form_fields_left_out', 1],
  ],
  ['an unknown part', 'docx', docx(body, { 'word/poem.xml': strToU8('<a/>') }), undefined, ['parts_left_out', 1]],
  [
    'a box that is ticked',
    'docx',
    docx(
      '<w:p><w:sdt><w:sdtPr><w14:checkbox xmlns:w14="http://schemas.microsoft.com/office/word/2010/wordml"><w14:checked w14:val="1"/></w14:checkbox></w:sdtPr><w:sdtContent><w:r><w:t>☒</w:t></w:r></w:sdtContent></w:sdt><w:r><w:t>agreed</w:t></w:r></w:p>',
    ),
    '[x] agreed',
  ],
];

const XLSX: Case[] = [
  ['properties', 'xlsx', xlsx(one, { 'docProps/core.xml': core, 'docProps/custom.xml': custom }), PROPERTIES],
  [
    'headers and footers',
    'xlsx',
    xlsx(
      one,
      sheet(
        '<row r="1"><c r="A1"><v>1</v></c></row>',
        '<headerFooter><oddHeader>&amp;L&amp;"Arial,Bold"&amp;12Fish &amp;&amp; chips&amp;CLighthouse ledger</oddHeader><oddFooter>Page &amp;P of &amp;N</oddFooter></headerFooter>',
      ),
    ),
    /Fish & chips\nLighthouse ledger$/,
  ],
  [
    'the header of an XLSB',
    'xlsx',
    xlsbWithHeader('&L&"Arial,Bold"&12Lighthouse ledger of the northern ports&CPage &P'),
    /Lighthouse ledger/,
  ],
  [
    'hidden rows and columns',
    'xlsx',
    xlsx(one, sheet('<row r="1" hidden="1"><c r="A1" t="inlineStr"><is><t>hidden otter</t></is></c></row>', '')),
    'hidden otter',
  ],
  [
    'the title of a chart',
    'xlsx',
    xlsx(one, { 'xl/charts/chart1.xml': chart }),
    /Catch by port$/,
    ['charts_left_out', 1],
  ],
  ['a diagram', 'xlsx', xlsx(one, { 'xl/diagrams/data1.xml': drawn('first anchor') }), 'first anchor'],
  [
    'pictures with and without a description',
    'xlsx',
    xlsx(one, {
      'xl/media/a.png': 'x',
      'xl/media/b.png': 'x',
      'xl/drawings/drawing1.xml':
        '<x><xdr:pic><xdr:cNvPr descr="a red kite"/><xdr:blipFill/></xdr:pic><xdr:pic><xdr:cNvPr/><xdr:blipFill/></xdr:pic></x>',
    }),
    'a red kite',
    ['pictures_left_out', 1],
  ],
  ['a button', 'xlsx', xlsx(one, { 'xl/ctrlProps/ctrlProp1.xml': '<a/>' }), undefined, ['form_fields_left_out', 1]],
  [
    'values of other workbooks',
    'xlsx',
    xlsx(one, { 'xl/externalLinks/externalLink1.xml': '<a/>' }),
    undefined,
    ['parts_left_out', 1],
  ],
];

const PPTX: Case[] = [
  ['properties', 'pptx', pptx([slide], { 'docProps/core.xml': core, 'docProps/custom.xml': custom }), PROPERTIES],
  [
    'a footer on many slides, once',
    'pptx',
    pptx([{ shapes: shape('Keep quiet', 'ftr') }, { shapes: shape('Keep quiet', 'ftr') }]),
    /^Keep quiet$/,
  ],
  [
    'what the master shows on each slide',
    'pptx',
    pptx([{ ...slide, relations: { l: ['slideLayout', '../slideLayouts/slideLayout1.xml'] } }], {
      'ppt/slideLayouts/slideLayout1.xml': `<x>${shape('Click to edit', 'body')}${shape('Boat show 2026')}</x>`,
      'ppt/slideLayouts/_rels/slideLayout1.xml.rels': relations({
        m: ['slideMaster', '../slideMasters/slideMaster1.xml'],
      }),
      'ppt/slideMasters/slideMaster1.xml': `<x>${shape('Harbour Trust')}</x>`,
    }),
    /^# Plan\n\nBoat show 2026\n\nHarbour Trust$/,
  ],
  [
    'a chart',
    'pptx',
    pptx([{ ...slide, relations: { c: ['chart', '../charts/chart1.xml'] } }], { 'ppt/charts/chart1.xml': chart }),
    CHART,
    ['charts_left_out', 1],
  ],
  [
    'the description of a drawing',
    'pptx',
    pptx([{ shapes: '<p:graphicFrame><p:cNvPr descr="a map of reefs"/></p:graphicFrame>' }]),
    'a map of reefs',
  ],
  [
    'an embedded file',
    'pptx',
    pptx([slide], { 'ppt/embeddings/oleObject1.bin': 'x' }),
    undefined,
    ['embedded_files_left_out', 1],
  ],
];

const ODF: Case[] = [
  ['properties', 'odt', opendocument('text', odtBody, '', { 'meta.xml': meta }), ODF_PROPERTIES],
  [
    'properties',
    'ods',
    opendocument(
      'spreadsheet',
      '<table:table table:name="S"><table:table-row><table:table-cell><text:p>owl</text:p></table:table-cell></table:table-row></table:table>',
      '',
      { 'meta.xml': meta },
    ),
    ODF_PROPERTIES,
  ],
  [
    'a chart',
    'odt',
    opendocument('text', odtBody, '', {
      'Object 1/content.xml': '<office:chart><chart:title><text:p>Catch by port</text:p></chart:title></office:chart>',
    }),
    'Catch by port',
    ['charts_left_out', 1],
  ],
  [
    'a formula',
    'odt',
    opendocument('text', odtBody, '', {
      'Object 1/content.xml':
        '<math><semantics><mi>E</mi><annotation encoding="StarMath 5.0">E = m c^2</annotation></semantics></math>',
    }),
    'E = m c^2',
    ['charts_left_out', 1],
  ],
  [
    'an embedded file',
    'odt',
    opendocument('text', odtBody, '', { 'Object 1': 'x' }),
    undefined,
    ['embedded_files_left_out', 1],
  ],
  [
    'a field of a form',
    'odt',
    opendocument(
      'text',
      `<office:forms><form:form form:name="f"><form:text form:name="Port" form:current-value="Hull"/></form:form></office:forms>${odtBody}`,
    ),
    'Port: Hull',
  ],
  ['an unknown part', 'odt', opendocument('text', odtBody, '', { 'poem.xml': 'x' }), undefined, ['parts_left_out', 1]],
  [
    'shapes, descriptions, headers and footers',
    'ods',
    opendocument(
      'spreadsheet',
      '<table:table table:name="S"><table:shapes><draw:custom-shape><svg:desc>a map of reefs</svg:desc><text:p>buoys</text:p></draw:custom-shape><draw:frame><draw:image/></draw:frame></table:shapes><table:table-row><table:table-cell><text:p>owl</text:p></table:table-cell></table:table-row></table:table>',
      '',
      {
        'styles.xml':
          '<style:header><text:p>Lighthouse ledger</text:p></style:header><style:footer><text:p>Seite <text:page-number>1</text:page-number> von <text:page-count>3</text:page-count></text:p></style:footer>',
      },
    ),
    /a map of reefs\n\nbuoys\n\nLighthouse ledger$/,
    ['pictures_without_text', 1],
  ],
  [
    'footers and what the master shows',
    'odp',
    opendocument(
      'presentation',
      '<presentation:footer-decl presentation:name="f">Keep quiet</presentation:footer-decl><draw:page><draw:frame presentation:class="title"><draw:text-box><text:p>Plan</text:p></draw:text-box></draw:frame></draw:page>',
      '',
      {
        'styles.xml':
          '<office:master-styles><style:master-page><draw:frame presentation:class="title"><draw:text-box><text:p>Click to edit</text:p></draw:text-box></draw:frame><draw:custom-shape><text:p>Harbour Trust</text:p></draw:custom-shape></style:master-page></office:master-styles>',
      },
    ),
    /^# Plan\n\nKeep quiet\n\nHarbour Trust$/,
  ],
];

const html = (source: string) => strToU8(source);
const WEB: Case[] = [
  [
    'what the head says',
    'html',
    html(
      '<meta name="Description" content="Where ships moor"><meta name=keywords content="quay, pier"><meta name=author content="Ada"><p>Text.',
    ),
    /^Text\.\n\nDescription: Where ships moor\nKeywords: quay, pier\nAuthor: Ada$/,
  ],
  [
    'what the head says again',
    'html',
    html('<meta name="description" content="Where  ships moor"><p>Where ships moor.'),
    /^Where ships moor\.$/,
  ],
  [
    'a form that was filled in',
    'html',
    html('<label>Port <input value="Hull"></label><input type=checkbox checked> paid <input type=hidden value=token7>'),
    /^Port Hull \[x\] paid$/,
  ],
  [
    'short forms',
    'html',
    html('<p>The <abbr title="International Maritime Organization">IMO</abbr>'),
    'IMO (International Maritime Organization)',
  ],
  [
    'the texts of a drawing',
    'html',
    html('<svg><title>Map</title><desc>of reefs</desc><text>Skerry</text></svg>'),
    /Map[^]*of reefs[^]*Skerry/,
  ],
  [
    'comments',
    'html',
    html('<!-- remember the tide --><!--[if IE]> x <![endif]--><!-- --><p>Text.'),
    'Text.',
    ['comments_left_out', 1],
  ],
  ['scripts', 'html', html('<script>document.write("tide")</script><p>Text.'), 'Text.', ['scripts_left_out', 1]],
  ['recordings', 'html', html('<video src=a.mp4></video><p>Text.'), 'Text.', ['media_left_out', 1]],
  [
    'pages in the page',
    'html',
    html('<iframe srcdoc="<p>tide"></iframe><p>Text.'),
    'Text.',
    ['embedded_files_left_out', 1],
  ],
  [
    'other pages of a saved page',
    'mhtml',
    html(
      'MIME-Version: 1.0\nContent-Type: multipart/related; boundary=b\n\n--b\nContent-Type: text/html\n\n<p>Text.\n--b\nContent-Type: application/pdf\nContent-Location: http://x/a.pdf\n\nx\n--b--\n',
    ),
    'Text.',
    ['embedded_files_left_out', 1],
  ],
];

const alternative = (plain: string, page: string) =>
  strToU8(
    `From: a@example.com\nSubject: tide\nContent-Type: multipart/alternative; boundary=x\n\n--x\nContent-Type: text/plain\n\n${plain}\n--x\nContent-Type: text/html\n\n${page}\n--x--\n`,
  );
const MAIL: Case[] = [
  [
    'HTML that says what the text says',
    'eml',
    alternative('High water at nine.', '<p>High water <b>at nine</b>.</p>'),
    /example\.com\n\nHigh water at nine\.$/,
  ],
  [
    'HTML that says more than the text',
    'eml',
    alternative('Your program shows no HTML.', '<p>High water at nine, low water at three.</p>'),
    /^# tide[^]*shows no HTML\.\n\nHigh water at nine, low water at three\.$/,
  ],
  [
    'HTML that the text begins',
    'eml',
    alternative('High water at nine', '<p>High water at nine, low water at three.</p>'),
    /example\.com\n\nHigh water at nine, low water at three\.$/,
  ],
  [
    'hidden receivers',
    'eml',
    strToU8('From: a@example.com\nBcc: bo@example.com\nReply-To: desk@example.com\n\nText.'),
    /Bcc: bo@example\.com\nReply-To: desk@example\.com/,
  ],
  [
    'an invitation',
    'eml',
    strToU8(
      'From: a@example.com\nContent-Type: multipart/alternative; boundary=x\n\n--x\nContent-Type: text/plain\n\nText.\n--x\nContent-Type: text/calendar\n\nBEGIN:VCALENDAR\nSUMMARY:Regatta\nEND:VCALENDAR\n--x--\n',
    ),
    'Text.',
    ['attachments_apart', 1],
  ],
  [
    'what stands before the first message',
    'mbox',
    strToU8('half a message\n\nFrom ada@example.com Fri May  3 10:00:00 2024\nSubject: tide\n\nText.\n'),
    'Text.',
    ['messages_unreadable', 1],
  ],
];

const notebook = (cell: object, metadata: object = {}) =>
  strToU8(JSON.stringify({ metadata, cells: [{ cell_type: 'code', source: 'x' }, cell] }));
const TEXTS: Case[] = [
  [
    'pictures in text cells',
    'ipynb',
    notebook({ cell_type: 'markdown', source: 'see', attachments: { 'a.png': { 'image/png': 'AAAA' } } }),
    'see',
    ['pictures_left_out', 1],
  ],
  [
    'outputs for programs',
    'ipynb',
    notebook({ cell_type: 'code', outputs: [{ data: { 'application/json': '{}' } }] }),
    undefined,
    ['outputs_left_out', 1],
  ],
  [
    'errors',
    'ipynb',
    notebook({ cell_type: 'code', outputs: [{ ename: 'KeyError', evalue: "'tide'" }] }),
    "KeyError: 'tide'",
  ],
  [
    'title and authors',
    'ipynb',
    notebook({}, { title: 'Tides', authors: [{ name: 'Ada' }] }),
    /Title: Tides\nAuthor: Ada$/,
  ],
  [
    'remarks',
    'subtitles',
    strToU8('WEBVTT\n\nSTYLE\n::cue {}\n\nNOTE check the tide\n\n00:01.000 --> 00:02.000\nhello'),
    '[00:00:01] hello',
    ['comments_left_out', 1],
  ],
  [
    'damaged cues',
    'subtitles',
    strToU8('1\n00:00:01,000 --> 00:00:02,000\nhello\n\n2\n00:00:03 -> 00:00:04\nlost words'),
    'hello',
    ['cues_unreadable', 1],
  ],
  [
    'properties',
    'rtf',
    strToU8('{\\rtf1{\\info{\\title Quay plan}{\\author Ada Harbour}{\\creatim\\yr2024}}Text.}'),
    /^Text\.\n\nTitle: Quay plan\nAuthor: Ada Harbour$/,
  ],
  [
    'notes',
    'rtf',
    strToU8('{\\rtf1 Otters{\\super\\chftn{\\*\\footnote \\chftn\\tab a kind of marten}} swim.}'),
    'Otters (a kind of marten) swim.',
  ],
  ['equations', 'rtf', strToU8('{\\rtf1 so {\\mmath{\\*\\moMath{\\mr E=mc}}} holds}'), 'so E=mc holds'],
  ['deleted text', 'rtf', strToU8('{\\rtf1 seen {\\deleted gone}now}'), /^seen now$/, ['deletions_left_out', 1]],
  [
    'pictures as Word writes them, twice',
    'rtf',
    strToU8('{\\rtf1 a{\\*\\shppict{\\pict 00}}{\\nonshppict{\\pict 00}}}'),
    'a',
    ['pictures_left_out', 1],
  ],
  [
    'the description of a picture',
    'rtf',
    strToU8('{\\rtf1 a{\\*\\shppict{\\pict{\\*\\picprop{\\sp{\\sn wzDescription}{\\sv a red kite}}}00}}}'),
    /^a \(a red kite\)$/,
  ],
  [
    'an embedded file',
    'rtf',
    strToU8('{\\rtf1 a{\\object\\objemb{\\*\\objclass Excel}{\\*\\objdata 00}{\\result{\\pict 00}}}}'),
    /^a$/,
    ['embedded_files_left_out', 1],
  ],
  [
    'the table of contents',
    'epub',
    epub('B', ['<h1>One</h1>'], {
      'OEBPS/book.opf':
        '<package><metadata xmlns:dc="d"><dc:title>B</dc:title><dc:description>&lt;p&gt;Of tides.</dc:description><dc:subject>Sea</dc:subject></metadata><manifest><item id="c" href="text/1%20x.xhtml" media-type="application/xhtml+xml"/><item id="n" href="n.xhtml" media-type="application/xhtml+xml"/><item id="t" href="toc.ncx" media-type="application/x-dtbncx+xml"/></manifest><spine><itemref idref="c"/></spine></package>',
      'OEBPS/n.xhtml': '<p>a note beside',
      'OEBPS/toc.ncx': '<ncx><navLabel><text>One</text></navLabel><navLabel><text>Map of reefs</text></navLabel></ncx>',
    }),
    /# One\n\na note beside\n\n- Map of reefs\n\nSubject: Sea\nDescription: Of tides\.$/,
  ],
  ['recordings', 'epub', epub('B', ['<p>x'], { 'OEBPS/a.mp3': 'x' }), 'x', ['media_left_out', 1]],
];

const emptyPage = '<< /Length 0 >>\nstream\n\nendstream';
const PDF: Case[] = [
  [
    'properties',
    'pdf',
    pdfOfContents(
      ['BT /F1 12 Tf 72 720 Td (Text.) Tj ET'],
      '',
      '/Info 5 0 R',
      '<< /Subject (Harbour dues) /Keywords (mooring) >>',
    ),
    /^Text\.\n\nSubject: Harbour dues\nKeywords: mooring$/,
  ],
  [
    'a file at a place of the page',
    'pdf',
    pdfOfPage(
      '/Annots [5 0 R 6 0 R]',
      emptyPage,
      '<< /Type /Annot /Subtype /FileAttachment /Rect [0 0 9 9] /Contents (the plan) >>',
      '<< /Type /Annot /Subtype /Screen /Rect [0 0 9 9] >>',
    ),
    'the plan',
    ['attachments_left_out', 1],
  ],
  [
    'recordings',
    'pdf',
    pdfOfPage(
      '/Annots [5 0 R 6 0 R]',
      emptyPage,
      '<< /Type /Annot /Subtype /FreeText /Contents (a note) /Rect [0 0 9 9] >>',
      '<< /Type /Annot /Subtype /Movie /Rect [0 0 9 9] >>',
    ),
    'a note',
    ['media_left_out', 1],
  ],
];

const object = (type: number) => record(0x5d, [0x15, 0, 0x12, 0, type, 0], Buffer.alloc(18));
const beside = (...records: Buffer[]) => xls('S', [['owl', 'newt']], records);
const margin = 'Lighthouse ledger';
const attached = { name: 'list.csv', type: 'text/csv', content: 'a,b' };
const OLE: Case[] = [
  ['headers', 'xls', beside(record(0x14, [margin.length + 2, 0, 0], Buffer.from(`&C${margin}`))), /Lighthouse ledger$/],
  [
    'text boxes',
    'xls',
    beside(object(6), record(0x1b6, Buffer.alloc(18)), record(0x3c, [0], Buffer.from('buoys'))),
    /buoys$/,
  ],
  ['pictures', 'xls', beside(object(8)), 'owl', ['pictures_left_out', 1]],
  [
    'charts',
    'xls',
    beside(record(0x809, [0, 6, 0x20, 0], Buffer.alloc(12)), record(0x0a)),
    'owl',
    ['charts_left_out', 1],
  ],
  ['controls of a form', 'xls', beside(object(11)), 'owl', ['form_fields_left_out', 1]],
  [
    'properties',
    'doc',
    doc('Text.', { '\u0005SummaryInformation': summary({ 2: 'Quay plan', 4: 'Ada Härbour', 19: 'no' }) }),
    /^Text\.\n\nTitle: Quay plan\nAuthor: Ada Härbour$/,
  ],
  [
    'damaged properties',
    'doc',
    doc('Text.', { '\u0005SummaryInformation': summary({ 2: 'Quay' }).subarray(0, 60) }),
    /^Text\.$/,
  ],
  ['pictures', 'doc', doc('Text.', { Data: Buffer.alloc(5000, 1) }), 'Text.', ['pictures_left_out']],
  [
    'embedded files',
    'doc',
    doc('Text.', { 'ObjectPool/_1/Workbook': Buffer.from('x') }),
    'Text.',
    ['embedded_files_left_out', 1],
  ],
  ['macros', 'doc', doc('Text.', { 'Macros/VBA/dir': Buffer.from('x') }), 'Text.', ['macros_left_out', 1]],
  [
    'a body in RTF alone',
    'msg',
    msg('tide', '', attached, { '__substg1.0_10090102': storedRtf('{\\rtf1 High water at {\\b nine}.}') }),
    /High water at nine\.$/,
  ],
];

describe('what a file has', () => {
  const all = { DOCX, XLSX, PPTX, ODF, WEB, MAIL, TEXTS, PDF, OLE };
  describe.each(Object.entries(all))('in %s is in its text or in a warning:', (_family, cases) => {
    it.each(cases)('%s (%s)', async (...[, format, file, text, lost]: Case) => {
      const read = await extractor.extract(file, format, 'ada');
      if (typeof text === 'string') expect(read.text).toContain(text);
      else if (text !== undefined) expect(read.text).toMatch(text);
      const found = read.warnings.map(({ code, count }) => (count === undefined ? [code] : [code, count]));
      if (lost !== undefined) expect(found).toContainEqual(lost);
      else expect(found.filter(([code]) => code !== 'layout_left_out' && code !== 'attachments_apart')).toEqual([]);
    });
  });

  it('names the parts that no reader knows', async () => {
    const { warnings } = await extractor.extract(docx(body, { 'word/poem.xml': strToU8('x') }), 'docx', 'ada');
    expect(warnings).toContainEqual(expect.objectContaining({ code: 'parts_left_out', place: 'word/poem.xml' }));
  });
});

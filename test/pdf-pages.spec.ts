import { TextExtractor } from '../src/downstream/filesystem/server/extraction/text-extractor.js';
import { pdfOfContents } from './sample-files.js';

const LIMITS = { timeoutMs: 15_000, maxMemoryBytes: 2 ** 29, maxTextBytes: 20_000_000 };
const lines = (...texts: string[]) =>
  texts.map((text, n) => `BT /F1 12 Tf 72 ${720 - 16 * n} Td (${text}) Tj ET`).join('\n');
/** Operators that print nothing: some 20 s of work. */
const ENDLESS = 'q Q '.repeat(12_000_000);
const codes = ({ warnings }: { warnings: { code: string; count?: number; place?: string }[] }) =>
  warnings.map(({ code, count, place }) => [code, count, place]);

describe('the pages of a PDF', () => {
  it('have bookmarks as headings, and the title and the author of the file', async () => {
    const item = (title: string, page: number, more: string) =>
      `<< /Title (${title}) /Parent 9 0 R /Dest [${3 + 2 * page} 0 R /Fit] ${more} >>`;
    const file = pdfOfContents(
      [lines('1. Food', 'Otters eat fish.'), lines('They swim.'), lines('Rivers', 'and lakes')],
      '/Outlines 9 0 R',
      '/Info 13 0 R',
      '<< /Type /Outlines /First 10 0 R /Last 12 0 R /Count 3 >>',
      item('Food', 0, '/Next 12 0 R /First 11 0 R /Last 11 0 R /Count 1'),
      item('Swimming', 1, ''),
      item('Rivers', 2, '/Prev 10 0 R'),
      '<< /Title (On Otters) /Author (Ada L) >>',
    );
    const { text, pages } = await new TextExtractor(LIMITS).extract(file, 'pdf', 'ada');
    expect(text).toBe(
      '# On Otters\n\nAuthor: Ada L\n\n## 1. Food\n\nOtters eat fish.\n\n### Swimming\n\nThey swim.\n\n## Rivers\n\nand lakes',
    );
    expect(pages).toEqual([
      { page: 1, start: 0 },
      { page: 2, start: text.indexOf('### Swimming') },
      { page: 3, start: text.indexOf('## Rivers') },
    ]);
  });

  it('do not affect one another: one that never ends is left out and named', async () => {
    const file = pdfOfContents([lines('first'), ENDLESS, lines('third')], '', '');
    const read = await new TextExtractor({ ...LIMITS, timeoutMs: 20_000 }).extract(file, 'pdf', 'ada');
    expect(read.text).toBe('first\n\nthird');
    expect(codes(read)).toEqual([['pages_too_slow', 1, 'pages 2']]);
  });

  it('are a fault of their own when all of them are too slow', async () => {
    const reading = new TextExtractor({ ...LIMITS, timeoutMs: 12_000 }).extract(
      pdfOfContents([ENDLESS], '', ''),
      'pdf',
      'ada',
    );
    await expect(reading).rejects.toThrow('reading its pages takes too long');
  }, 30_000);

  it('are read until the time is over, and the rest is named', async () => {
    const slow = `${'q Q '.repeat(300_000)}${lines('words')}`;
    const file = pdfOfContents(
      Array.from({ length: 100 }, () => slow),
      '',
      '',
    );
    const read = await new TextExtractor({ ...LIMITS, timeoutMs: 8000 }).extract(file, 'pdf', 'ada');
    const { length } = read.pages ?? [];
    expect(length).toBeGreaterThan(1);
    expect(codes(read).at(-1)).toEqual([
      'pages_left_out',
      expect.any(Number),
      expect.stringMatching(/^pages \d+-100$/),
    ]);
  }, 30_000);

  it('may number two thousand', async () => {
    const texts = Array.from({ length: 2000 }, (_, i) =>
      lines(...Array.from({ length: 10 }, (_, n) => `line ${n} of page ${i + 1}`)),
    );
    const read = await new TextExtractor({ ...LIMITS, timeoutMs: 60_000 }).extract(
      pdfOfContents(texts, '', ''),
      'pdf',
      'ada',
    );
    expect(read.pages).toHaveLength(2000);
    expect(read.warnings).toEqual([]);
  }, 90_000);
});

describe('a picture beside the text of a PDF', () => {
  const PROSE = lines(...Array.from({ length: 8 }, (_, n) => `Otters dive for fish at dawn in the cold river ${n}.`));
  /** Two pictures of 8 × 8 and 8 × 9 grey pixels. */
  const picture = (height: number) =>
    `<< /Type /XObject /Subtype /Image /Width 8 /Height ${height} /BitsPerComponent 8 /ColorSpace /DeviceGray /Length ${8 * height} >>\nstream\n${'x'.repeat(8 * height)}\nendstream`;
  const drawn = (name: string, width: number, height: number, x = 72, y = 100) =>
    `q ${width} 0 0 ${height} ${x} ${y} cm /${name} Do Q`;

  async function read(contents: readonly string[], catalog = '', ...more: string[]) {
    const first = 3 + 2 * contents.length;
    const xObjects = `/I0 ${first} 0 R /I1 ${first + 1} 0 R`;
    const file = pdfOfContents(
      contents,
      catalog,
      '',
      { xObjects, page: '/StructParents 0' },
      picture(8),
      picture(9),
      ...more,
    );
    return new TextExtractor(LIMITS).extract(file, 'pdf', 'ada');
  }

  it('is named with its page', async () => {
    const figures = `${drawn('I0', 200, 150)} ${drawn('I1', 200, 150, 72, 300)}`;
    const found = await read([PROSE, `${PROSE} ${figures}`, PROSE, `${PROSE} ${drawn('I1', 300, 200)}`]);
    expect(codes(found)).toEqual([['pictures_without_text', 3, 'pages 2, 4']]);
  });

  it.each([
    ['is a symbol', [drawn('I0', 60, 60)]],
    ['stands at one place of several pages', Array<string>(3).fill(drawn('I0', 200, 150))],
    ['is the scan whose text the page has', [drawn('I0', 612, 792)]],
    [
      'is a strip of that scan',
      Array.from({ length: 8 }, (_, n) => drawn('I0', 612, 99, 0, 99 * n)).reduce<string[]>(
        ([all = ''], strip) => [`${all} ${strip}`],
        [],
      ),
    ],
  ])('is not named where it %s', async (_, pages) => {
    expect(codes(await read(pages.map((figure) => `${PROSE} ${figure}`)))).toEqual([]);
  });

  it('is found by its description in a tagged file', async () => {
    const figure = `/Figure << /MCID 0 >> BDC ${drawn('I0', 200, 150)} EMC`;
    const [root, element] = [7, 8];
    const found = await read(
      [`${PROSE} ${figure}`],
      `/MarkInfo << /Marked true >> /StructTreeRoot ${root} 0 R`,
      `<< /Type /StructTreeRoot /K ${element} 0 R /ParentTree << /Nums [0 [${element} 0 R]] >> >>`,
      `<< /Type /StructElem /S /Figure /P ${root} 0 R /Pg 3 0 R /K 0 /Alt (A holt below the roots of an alder) >>`,
    );
    expect(found.text).toContain('A holt below the roots of an alder');
    expect(codes(found)).toEqual([]);
  });
});

import { TextExtractor } from '../src/downstream/filesystem/server/extraction/text-extractor.js';
import { drawing } from './pictures.js';
import { scannedPdf } from './scanned-pdf.js';
import { pdfOfContents } from './sample-files.js';

const LIMITS = { timeoutMs: 15_000, maxMemoryBytes: 2 ** 29, maxTextBytes: 20_000_000 };
const at = (x: number, y: number, text: string, size = 10) => `BT /F1 ${size} Tf ${x} ${y} Td (${text}) Tj ET`;
const read = (...contents: string[]) =>
  new TextExtractor(LIMITS).extract(pdfOfContents(contents, '', ''), 'pdf', 'ada');
const wordsOf = (text: string) => text.split(/\s+/).sort();

const LEFT = [
  'Otters live in rivers and along',
  'coasts, where they hunt for fish',
  'and crabs. They sleep on the bank',
  'in dens that are called holts, and',
  'they mark their territory with',
  'droppings that are called spraints.',
  'Their fur is very dense.',
];
const RIGHT = [
  'Kestrels hover over meadows and',
  'look for voles in the long grass.',
  'They nest in old trees, on cliffs',
  'and on the towers of churches, and',
  'they lay between three and six',
  'eggs, which the female broods for',
  'about four weeks.',
];
const column = (lines: readonly string[], x: number) => lines.map((line, n) => at(x, 680 - 14 * n, line));
const across = LEFT.flatMap((line, n) => [at(72, 680 - 14 * n, line), at(320, 680 - 14 * n, RIGHT[n] as string)]);

describe('columns of a PDF', () => {
  const title = at(72, 720, 'Animals that live beside people, in two columns of a text', 16);
  const foot = at(72, 560, 'This line stands below both columns and goes over the whole width.');
  const expected = ['Animals that live beside people, in two columns of a text', ...LEFT, ...RIGHT];

  it('are read one after the other, however the file draws them', async () => {
    for (const lines of [across, [...column(LEFT, 72), ...column(RIGHT, 320)]]) {
      const { text, warnings } = await read([title, ...lines, foot].join('\n'));
      expect(text.split('\n')).toEqual([
        ...expected,
        'This line stands below both columns and goes over the whole width.',
      ]);
      expect(warnings).toEqual([]);
    }
  });

  it('are read across where they are a table', async () => {
    const rows = ['Otter', 'Kestrel', 'Badger', 'Fox', 'Hare', 'Mole', 'Newt'];
    const cells = rows.flatMap((name, n) => [at(72, 680 - 14 * n, name), at(320, 680 - 14 * n, `${n + 2} kg`)]);
    const { text } = await read(cells.join('\n'));
    expect(text.split('\n')).toEqual(rows.map((name, n) => `${name} ${n + 2} kg`));
  });
});

describe('running heads and feet of a PDF', () => {
  const page = (n: number, head: string, body: string) =>
    [at(72, 760, head), at(72, 600, body), at(290, 30, `Page ${n} of 5`)].join('\n');
  const bodies = ['Otters swim.', 'Kestrels hover.', 'Badgers dig.', 'Foxes run.', 'Hares leap.'];

  it('stand once, which is named', async () => {
    const contents = bodies.map((body, n) => page(n + 1, 'Annual report 2024', body));
    const { text, warnings, pages } = await read(...contents);
    expect(text).toBe(`Annual report 2024\nOtters swim.\nPage 1 of 5\n\n${bodies.slice(1).join('\n\n')}`);
    expect(pages).toHaveLength(5);
    expect(warnings).toEqual([
      { code: 'running_heads_once', detail: expect.any(String), count: 4, place: 'pages 2-5' },
    ]);
  });

  it('are kept where no gap sets them apart from the text', async () => {
    const contents = bodies.map((body, n) => [at(72, 760, `This is page ${n + 1}`), at(72, 746, body)].join('\n'));
    const { text, warnings } = await read(...contents);
    expect(text).toBe(bodies.map((body, n) => `This is page ${n + 1}\n${body}`).join('\n\n'));
    expect(warnings).toEqual([]);
  });

  it('are kept where they say something else on each page', async () => {
    const contents = bodies.map((body, n) => [at(72, 760, `Invoice ${7 * n * n}`), at(72, 600, body)].join('\n'));
    const { text, warnings } = await read(...contents);
    expect(wordsOf(text)).toEqual(wordsOf(bodies.map((body, n) => `Invoice ${7 * n * n} ${body}`).join(' ')));
    expect(warnings).toEqual([]);
  });
});

describe('tables of a PDF', () => {
  const xs = [72, 172, 252, 352];
  const ys = [700, 680, 660, 640];
  const cells = [
    ['Animal', 'Weight', 'Food'],
    ['Otter', '9 kg', 'fish'],
    ['Kestrel | hawk', '200 g', 'voles, lizards'],
  ];
  const texts = cells.flatMap((row, r) => row.map((text, c) => at((xs[c] ?? 0) + 4, (ys[r] ?? 0) - 14, text)));
  const strokes = [
    ...xs.map((x) => `${x} ${ys.at(-1)} m ${x} ${ys[0]} l S`),
    ...ys.map((y) => `${xs[0]} ${y} m ${xs.at(-1)} ${y} l S`),
  ];
  const boxes = cells.flatMap((row, r) =>
    row.map((_, c) => `${xs[c]} ${ys[r + 1]} ${(xs[c + 1] ?? 0) - (xs[c] ?? 0)} 20 re S`),
  );
  const bars = [...xs.map((x) => `${x} ${ys.at(-1)} 0.5 60 re f`), ...ys.map((y) => `${xs[0]} ${y} 280 0.5 re f`)];
  const expected = [
    '| Animal | Weight | Food |',
    '| --- | --- | --- |',
    '| Otter | 9 kg | fish |',
    '| Kestrel \\| hawk | 200 g | voles, lizards |',
  ];
  const before = at(72, 720, 'A table of animals:');
  const after = at(72, 600, 'All of them hunt.');

  it.each([
    ['lines', strokes],
    ['the boxes of its cells', boxes],
    ['thin bars', bars],
    [
      'lines in a turned and scaled space',
      ['q 2 0 0 2 0 0 cm', ...strokes.map((line) => line.replaceAll(/\d+/g, (n) => String(Number(n) / 2))), 'Q'],
    ],
  ])('are tables where they are ruled by %s', async (_, rules) => {
    const { text } = await read([...rules, before, ...texts, after].join('\n'));
    expect(text).toBe(['A table of animals:', '', ...expected, '', 'All of them hunt.'].join('\n'));
  });

  it('keep the cells that the file draws in another order, and of several lines', async () => {
    const byColumns = cells[0]?.flatMap((_, c) => cells.map((_row, r) => texts[3 * r + c] as string)) ?? [];
    const { text } = await read([...strokes, ...byColumns].join('\n'));
    expect(text).toBe(expected.join('\n'));
  });

  it('have a row for each line where only their columns and their head are ruled, and whole words', async () => {
    const rows = [
      ['Name', 'Mean-'],
      ['', 'ing'],
      ['Num', 'number'],
      ['Team', 'who plays'],
      ['Note', 'what is said'],
    ];
    const [head, ...rest] = [680, 668, 650, 638, 626].map((y, n) => [
      at(76, y, rows[n]?.[0] ?? ''),
      at(176, y, rows[n]?.[1] ?? ''),
    ]);
    const lines = ['72 700 m 300 700 l S', '72 664 m 300 664 l S', '72 620 m 300 620 l S'];
    const down = [72, 172, 300].map((x) => `${x} 620 m ${x} 700 l S`);
    const { text } = await read([...lines, ...down, ...(head ?? []), ...rest.flat()].join('\n'));
    expect(text).toBe(
      [
        '| Name | Meaning |',
        '| --- | --- |',
        '| Num | number |',
        '| Team | who plays |',
        '| Note | what is said |',
      ].join('\n'),
    );
  });

  it('are lines of text on a page of countless drawings', async () => {
    const map = '1 1 m 2 3 l S '.repeat(600_000);
    const file = pdfOfContents([[...texts, map].join('\n'), before], '', '');
    const { text, warnings } = await new TextExtractor({ ...LIMITS, timeoutMs: 40_000 }).extract(file, 'pdf', 'ada');
    expect(text.split('\n')).toEqual([...cells.map((row) => row.join(' ')), '', 'A table of animals:']);
    expect(warnings).toEqual([]);
  });

  it('are lines of text where nothing rules them, and so are texts in a frame or in a chart', async () => {
    const plain = (await read(texts.join('\n'))).text;
    expect(plain.split('\n')).toEqual(cells.map((row) => row.join(' ')));
    const frame = '60 630 320 80 re S';
    expect((await read([frame, ...texts].join('\n'))).text).toBe(plain);
    const lattice = Array.from(
      { length: 20 },
      (_, n) => `60 ${500 + 20 * n} m 400 ${500 + 20 * n} l S ${60 + 17 * n} 500 m ${60 + 17 * n} 880 l S`,
    );
    expect((await read([...lattice, ...texts].join('\n'))).text).toBe(plain);
  });
});

describe('scans in a PDF', () => {
  it('are named where a few words stand beside a picture that covers the page', async () => {
    const picture = drawing(['An otter swims across the river.'], { width: 612, height: 792 });
    const stamp = at(500, 20, 'Page 7 of 9');
    const file = await scannedPdf([[picture, stamp], at(72, 720, 'A short letter.')]);
    const { text, warnings } = await new TextExtractor(LIMITS).extract(file, 'pdf', 'ada');
    expect(text).toBe('Page 7 of 9\n\nA short letter.');
    expect(warnings).toMatchObject([{ code: 'pages_without_text', count: 1, place: 'pages 1' }]);
  });
});

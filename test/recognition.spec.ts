import { GifWriter } from 'omggif';
import {
  Recogniser,
  type RecognisedPage,
} from '../src/downstream/filesystem/server/extraction/recognition/recogniser.js';
import { bmp, drawing, tiff, TIFF_FORMS, tiffOf, ZSTANDARD } from './pictures.js';
import { scannedPdf } from './scanned-pdf.js';

const LIMITS = { languages: ['eng', 'deu'], pageTimeoutMs: 240_000, maxMemoryBytes: 2 ** 30 };
const ENGLISH = ['The kestrel hovers above the meadow', 'and looks for voles in the long grass.'];
const GERMAN = ['Die Straße führt über die Brücke', 'nach Köln, wo die Gärten grün sind.'];

async function read(content: Uint8Array, format: 'pdf' | 'picture', pages?: number[], limits = {}) {
  const recogniser = new Recogniser({ ...LIMITS, ...limits });
  const found: RecognisedPage[] = [];
  let opened: readonly number[] = [];
  const end = await recogniser.turn(
    { content, format, pages },
    600_000,
    (all) => (opened = all),
    (page) => found.push(page),
  );
  return { end, opened, found, text: found.map(({ text }) => text).join('\f'), confidence: found[0]?.confidence ?? 0 };
}

describe('the text of pictures', () => {
  it.each(['png', 'jpeg', 'webp'] as const)(
    'is read from %s',
    async (kind) => {
      const { text, confidence, end } = await read(await drawing(ENGLISH).encode(kind as 'png'), 'picture');
      expect(text).toBe(ENGLISH.join('\n'));
      expect(confidence).toBeGreaterThan(85);
      expect(end).toEqual({ kind: 'done' });
    },
    60_000,
  );

  it('is read from BMP', async () => {
    expect((await read(bmp(drawing(ENGLISH)), 'picture')).text).toBe(ENGLISH.join('\n'));
  }, 60_000);

  it('is read from GIF, and from each page of a TIFF', async () => {
    const canvas = drawing(ENGLISH);
    const { width, height } = canvas;
    const rgba = canvas.getContext('2d').getImageData(0, 0, width, height).data;
    const bytes = Buffer.alloc(width * height * 2);
    const gif = new GifWriter(bytes, width, height, { palette: [0x000000, 0xffffff] });
    gif.addFrame(
      0,
      0,
      width,
      height,
      Array.from({ length: width * height }, (_, i) => Number((rgba[4 * i] as number) > 127)),
    );
    expect((await read(bytes.subarray(0, gif.end()), 'picture')).text).toBe(ENGLISH.join('\n'));
    const { text, opened } = await read(tiff(drawing(ENGLISH), drawing(GERMAN)), 'picture');
    expect(text).toBe(`${ENGLISH.join('\n')}\f${GERMAN.join('\n')}`);
    expect(opened).toEqual([1, 2]);
  }, 60_000);

  it.each(Object.entries(TIFF_FORMS))(
    'is read from a TIFF with %s',
    async (_, form) => {
      expect((await read(tiffOf(form, drawing(ENGLISH)), 'picture')).text).toBe(ENGLISH.join('\n'));
    },
    60_000,
  );

  it('is not read from a TIFF whose compression is unknown, which the page names', async () => {
    const { found } = await read(tiffOf(ZSTANDARD, drawing(ENGLISH)), 'picture');
    expect(found).toMatchObject([{ page: 1, why: expect.stringContaining('Zstandard') }]);
    expect(found[0]?.text).toBeUndefined();
  }, 60_000);

  it('is read in two languages, in small letters, and through noise', async () => {
    const both = await read(await drawing([...ENGLISH, ...GERMAN]).encode('png'), 'picture');
    expect(both.text.split(/\n+/)).toEqual([...ENGLISH, ...GERMAN]);
    const small = await read(await drawing(ENGLISH, { letters: 14, width: 500 }).encode('png'), 'picture');
    expect(small.text).toBe(ENGLISH.join('\n'));
    const noisy = await read(await drawing(ENGLISH, { noise: 0.03 }).encode('png'), 'picture');
    expect(noisy.text).toContain('kestrel');
    expect(noisy.confidence).toBeLessThan(both.confidence);
  }, 60_000);

  it.each([1, 2, 3])(
    'is read where the picture is turned by %i quarters',
    async (turns) => {
      const lines = [...ENGLISH, ...GERMAN, ...ENGLISH];
      const { text } = await read(await drawing(lines, { turns }).encode('png'), 'picture');
      expect(text.split(/\n+/)).toEqual(lines);
    },
    180_000,
  );

  it('is read as the camera was held', async () => {
    const jpeg = await drawing(ENGLISH, { turns: 3 }).encode('jpeg');
    const exif = Buffer.from('Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0', 'latin1');
    const segment = Buffer.from([0xff, 0xe1, 0, exif.length + 2]);
    const file = Buffer.concat([jpeg.subarray(0, 2), segment, exif, jpeg.subarray(2)]);
    // Too little time for other directions than the one that the camera wrote down.
    expect((await read(file, 'picture', undefined, { pageTimeoutMs: 3000 })).text).toBe(ENGLISH.join('\n'));
  }, 60_000);

  it('is read from transparent pictures', async () => {
    const canvas = drawing(ENGLISH, { ground: 'transparent' });
    expect((await read(await canvas.encode('png'), 'picture')).text).toBe(ENGLISH.join('\n'));
  }, 60_000);

  it('is read from the pages of a PDF that are asked for', async () => {
    const letter = { width: 1224, height: 1584 };
    const turned = drawing(ENGLISH, { width: 1584, height: 1224, turns: 1 });
    const file = await scannedPdf([drawing(ENGLISH, letter), drawing(GERMAN, letter), turned]);
    const { found, end } = await read(file, 'pdf', [2, 3]);
    expect(found.map(({ page, text }) => [page, text])).toEqual([
      [2, GERMAN.join('\n')],
      [3, ENGLISH.join('\n')],
    ]);
    expect(end).toEqual({ kind: 'done' });
  }, 60_000);

  it('is the printed text of a page of a PDF that has one', async () => {
    const text = (words: string) => `BT /F1 12 Tf 72 40 Td (${words}) Tj ET`;
    const scan = drawing(ENGLISH, { width: 1224, height: 1584 });
    const long = 'printed words '.repeat(10).trim();
    const { found } = await read(await scannedPdf([text('short'), [scan, text(long)], [scan, text('page 3')]]), 'pdf');
    expect(found.slice(0, 2)).toEqual([
      { kind: 'page', page: 1, text: 'short', confidence: undefined },
      { kind: 'page', page: 2, text: long, confidence: undefined },
    ]);
    expect(found[2]?.text).toContain(ENGLISH[0]);
  }, 60_000);

  it('is empty where there is none', async () => {
    expect((await read(await drawing([]).encode('png'), 'picture')).text).toBe('');
    const hills = drawing([], { width: 600 });
    const context = hills.getContext('2d');
    for (let x = 0; x < 600; x++) {
      context.fillStyle = `rgb(${x % 256}, ${(x * 3) % 200}, 120)`;
      context.fillRect(x, 200 + 60 * Math.sin(x / 40), 1, 200);
    }
    expect((await read(await hills.encode('jpeg'), 'picture')).text).toBe('');
  }, 60_000);

  it('is a fault where the file is none, or is damaged', async () => {
    expect((await read(Buffer.from('hello'), 'picture')).end).toMatchObject({ kind: 'fault' });
    expect((await read(Buffer.from('II*\0\x08\0\0\0', 'latin1'), 'picture')).end).toMatchObject({ kind: 'fault' });
    expect((await read(Buffer.from(`BM${'\0'.repeat(10)}`), 'picture')).end).toMatchObject({ kind: 'fault' });
    expect((await read(Buffer.from('GIF89a'), 'picture')).end).toMatchObject({ kind: 'fault' });
    expect((await read(Buffer.from('%PDF-1.4'), 'pdf', [1])).end).toMatchObject({ kind: 'fault' });
    const cut = (await drawing(ENGLISH).encode('png')).subarray(0, 100);
    expect((await read(cut, 'picture')).found).toEqual([
      { kind: 'page', page: 1, text: undefined, confidence: undefined, why: expect.stringContaining('not read') },
    ]);
  }, 60_000);

  it('is given up on the page that takes too long or too much memory', async () => {
    const easy = drawing(['Figs'], { width: 200 });
    const file = await scannedPdf([easy, drawing(ENGLISH, { noise: 0.5, height: 1300 })]);
    // The process that reads has the lowest priority, so its times grow with the load of the machine.
    const beganMs = performance.now();
    await read(await scannedPdf([easy]), 'pdf');
    const pageTimeoutMs = Math.max(8000, Math.round(4 * (performance.now() - beganMs)));
    const slow = await read(file, 'pdf', undefined, { pageTimeoutMs });
    expect(slow.found.map(({ page }) => page)).toEqual([1]);
    expect(slow.end).toEqual({ kind: 'stuck', page: 2, why: `it took longer than ${pageTimeoutMs} ms` });
    const large = await read(file, 'pdf', undefined, { maxMemoryBytes: 2 ** 27 });
    expect(large.end).toMatchObject({ kind: 'stuck', why: 'it takes more than 134217728 bytes of memory' });
  }, 240_000);
});

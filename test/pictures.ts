import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Canvas, createCanvas, GlobalFonts } from '@napi-rs/canvas';
import { seeded } from './random.js';

// A font that comes with PDF.js, so that the pictures are the same on every machine.
const FONTS = join(dirname(fileURLToPath(import.meta.resolve('pdfjs-dist/package.json'))), 'standard_fonts');
GlobalFonts.registerFromPath(join(FONTS, 'LiberationSans-Regular.ttf'), 'Liberation Sans');

interface Drawing {
  /** In pixels. */
  letters?: number;
  width?: number;
  height?: number;
  /** Quarter turns to the right. */
  turns?: number;
  /** The share of the pixels that are replaced by random ones. */
  noise?: number;
  ground?: string | undefined;
}

/** A picture of lines of text. */
export function drawing(
  lines: readonly string[],
  { letters = 32, width = 1300, turns = 0, noise = 0, ground = 'white', ...size }: Drawing = {},
): Canvas {
  const height = size.height ?? Math.max(400, letters * (lines.length * 1.6 + 4));
  const canvas = turns % 2 === 0 ? createCanvas(width, height) : createCanvas(height, width);
  const context = canvas.getContext('2d');
  context.fillStyle = ground;
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.translate(canvas.width / 2, canvas.height / 2);
  context.rotate((turns * Math.PI) / 2);
  context.translate(-width / 2, -height / 2);
  context.fillStyle = 'black';
  context.font = `${letters}px "Liberation Sans"`;
  lines.forEach((line, n) => context.fillText(line, letters * 2, letters * (3 + 1.6 * n)));
  if (noise > 0) addNoise(canvas, noise);
  return canvas;
}

function addNoise(canvas: Canvas, share: number): void {
  const context = canvas.getContext('2d');
  const image = context.getImageData(0, 0, canvas.width, canvas.height);
  const random = seeded(1);
  for (let at = 0; at < image.data.length; at += 4) {
    if (random() < share) image.data.fill(Math.floor(random() * 256), at, at + 3);
  }
  context.putImageData(image, 0, 0);
}

/** A BMP with four bytes for each pixel. */
export function bmp(canvas: Canvas): Buffer {
  const { width, height } = canvas;
  const header = Buffer.alloc(54);
  header.write('BM');
  header.writeUInt32LE(54 + 4 * width * height, 2);
  [54, 40, width, height].forEach((value, n) => header.writeUInt32LE(value, 10 + 4 * n));
  header.writeUInt16LE(1, 26);
  header.writeUInt16LE(32, 28);
  const { data } = canvas.getContext('2d').getImageData(0, 0, width, height);
  const rows = Array.from({ length: height }, (_, y) => Buffer.from(data.subarray(4 * width * y, 4 * width * (y + 1))));
  return Buffer.concat([header, ...rows.reverse()]);
}

interface TiffForm {
  /** The tags 258, 259, 262 and 277 of TIFF 6.0. */
  bits: number;
  compression: number;
  photometric: number;
  samples: number;
  encode(gray: Buffer, canvas: Canvas): Buffer;
}
const GRAY: TiffForm = { bits: 8, compression: 1, photometric: 1, samples: 1, encode: (gray) => gray };
/** Text in all four inks, as programs for printing write it. */
const cmyk = (bits: 8 | 16): TiffForm => {
  const inks = (light: number) => Array<number>((4 * bits) / 8).fill(255 - light);
  return { bits, compression: 1, photometric: 5, samples: 4, encode: (gray) => Buffer.from([...gray].flatMap(inks)) };
};
export const TIFF_FORMS = {
  'four inks of 8 bits': cmyk(8),
  'four inks of 16 bits': cmyk(16),
  'JPEG data that are called grey': { ...GRAY, compression: 7, encode: (_, canvas) => canvas.toBuffer('image/jpeg') },
} satisfies Record<string, TiffForm>;
export const ZSTANDARD: TiffForm = { ...GRAY, compression: 50_000 };

/** An uncompressed TIFF with one gray page for each drawing. */
export function tiff(...drawings: Canvas[]): Buffer {
  return tiffOf(GRAY, ...drawings);
}

export function tiffOf(form: TiffForm, ...drawings: Canvas[]): Buffer {
  const parts: Buffer[] = [Buffer.from('II*\0\x08\0\0\0', 'latin1')];
  let at = 8;
  drawings.forEach((canvas, n) => {
    const { width, height } = canvas;
    const rgba = canvas.getContext('2d').getImageData(0, 0, width, height).data;
    const gray = Buffer.from(Array.from({ length: width * height }, (_, i) => rgba[4 * i] as number));
    const pixels = form.encode(gray, canvas);
    const tags = [
      [256, width],
      [257, height],
      [258, form.bits],
      [259, form.compression],
      [262, form.photometric],
      [273, at + 2 + 12 * 9 + 4],
      [277, form.samples],
      [278, height],
      [279, pixels.length],
    ] as const;
    const directory = Buffer.alloc(2 + 12 * tags.length + 4);
    directory.writeUInt16LE(tags.length, 0);
    tags.forEach(([tag, value], i) => {
      directory.writeUInt16LE(tag, 2 + 12 * i);
      directory.writeUInt16LE(4, 4 + 12 * i);
      directory.writeUInt32LE(1, 6 + 12 * i);
      directory.writeUInt32LE(value, 10 + 12 * i);
    });
    at += directory.length + pixels.length;
    directory.writeUInt32LE(n === drawings.length - 1 ? 0 : at, directory.length - 4);
    parts.push(directory, pixels);
  });
  return Buffer.concat(parts);
}

import { Fault } from '../readers/fault.ts';
import { checkSize, decoding, messageOf } from './decoding.ts';
import { grayOf, type Picture, type PictureSource } from './picture.ts';
import { PICTURE_KINDS, type PictureKind, pictureKindOf } from './picture-kind.ts';
import { fromTiff } from './tiff-file.ts';

/** @throws Fault where the file is no picture that can be read */
export async function picturesOf(content: Uint8Array): Promise<PictureSource> {
  const kind = pictureKindOf(content);
  if (kind === undefined) throw new Fault(`it is not a picture in one of the formats ${PICTURE_KINDS}`);
  return OPEN[kind](content);
}

type Open = (content: Uint8Array) => PictureSource | Promise<PictureSource>;

/** Tesseract reads these itself. */
const encoded: Open = (file) => single({ file, orientation: exifOrientation(file) });
const OPEN: Record<PictureKind, Open> = {
  png: encoded,
  jpeg: encoded,
  webp: encoded,
  bmp: fromBmp,
  gif: fromGif,
  tiff: fromTiff,
  heic: fromHeic,
};

function single(picture: Picture): PictureSource {
  return { count: 1, page: () => Promise.resolve(picture) };
}

/** Tesseract reads BMP, except for pictures with four bytes for each pixel. */
function fromBmp(content: Uint8Array): PictureSource | Promise<PictureSource> {
  const file = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
  return decoding('BMP', () => {
    // BITMAPFILEHEADER and BITMAPINFOHEADER of the Windows API; a negative height means that the first row is on top.
    const [start, width, rows, bits] = [10, 18, 22, 28].map((at) => file.readInt32LE(at)) as [
      number,
      number,
      number,
      number,
    ];
    if ((bits & 0xffff) !== 32) return encoded(content);
    const height = Math.abs(rows);
    checkSize(width, height);
    const rgba = new Uint8Array(4 * width * height);
    for (let y = 0; y < height; y++) {
      const row = start + 4 * width * (rows < 0 ? y : height - 1 - y);
      for (let x = 0; x < width; x++) {
        const to = 4 * (y * width + x);
        for (const [n, from] of [2, 1, 0].entries()) rgba[to + n] = file[row + 4 * x + from] ?? 255;
        rgba[to + 3] = 255;
      }
    }
    return single(grayOf(rgba, width, height));
  });
}

/** The first picture of an animation. */
async function fromGif(content: Uint8Array): Promise<PictureSource> {
  const { GifReader } = await import('omggif');
  const { width, height, ...gif } = decoding('GIF', () => {
    const reader = new GifReader(content);
    checkSize(reader.width, reader.height);
    const rgba = new Uint8Array(4 * reader.width * reader.height);
    reader.decodeAndBlitFrameRGBA(0, rgba);
    return { width: reader.width, height: reader.height, rgba };
  });
  return single(grayOf(gif.rgba, width, height));
}

async function fromHeic(content: Uint8Array): Promise<PictureSource> {
  const { default: decode } = await import('heic-decode');
  const { width, height, data } = await decode({ buffer: content }).catch((error: unknown) => {
    throw new Fault(`it is not a HEIC that can be read (${messageOf(error)})`);
  });
  return single(grayOf(data, width, height));
}

/** How the camera was held, 1 to 8 as the tag 274 of Exif says; a camera writes it near the beginning. */
function exifOrientation(file: Uint8Array): number {
  const head = Buffer.from(file.buffer, file.byteOffset, Math.min(file.byteLength, 64 * 1024)).toString('latin1');
  const tag =
    /Exif\0\0(?:MM.*?\x01\x12\0\x03\0\0\0\x01\0([\x01-\x08])|II.*?\x12\x01\x03\0\x01\0\0\0([\x01-\x08]))/s.exec(head);
  return (tag?.[1] ?? tag?.[2] ?? '\x01').charCodeAt(0);
}

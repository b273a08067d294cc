import { Fault } from '../readers/fault.ts';
import { checkSize, decoding } from './decoding.ts';
import { grayOf, type GrayPicture, type Picture, type PictureSource } from './picture.ts';

/** What is used of utif2, which has no types of its pages. Tags have their numbers in TIFF 6.0. */
type TiffPage = Record<string, unknown> & { data: Uint8Array; isLE?: boolean };

const WIDTH = 256;
const HEIGHT = 257;
const BITS = 258;
const COMPRESSION = 259;
const PHOTOMETRIC = 262;
const SAMPLES = 277;
const PLANES = 284;
const SAMPLE_FORMAT = 339;

const RGB = 2;
const CMYK = 5;
const YCBCR = 6;
const JPEG = 7;
/** None, the three of CCITT, LZW, the two of JPEG, Deflate under two numbers, PackBits, ThunderScan. */
const COMPRESSIONS = new Set([1, 2, 3, 4, 5, 6, JPEG, 8, 32773, 32809, 32946]);
const NAMES: Readonly<Record<number, string>> = {
  34712: 'JPEG 2000',
  34925: 'LZMA',
  50000: 'Zstandard',
  50001: 'WebP',
};
/** White is zero, black is zero, RGB, palette, CMYK. */
const PHOTOMETRICS = new Set([0, 1, RGB, 3, CMYK]);
const FLOAT = 3;

/** The pages of a scan or fax. */
export async function fromTiff(content: Uint8Array): Promise<PictureSource> {
  const { default: UTIF } = await import('utif2');
  const buffer = content.buffer.slice(content.byteOffset, content.byteOffset + content.byteLength) as ArrayBuffer;
  const pages = decoding('TIFF', () => UTIF.decode(buffer) as unknown as TiffPage[]).filter(
    (page) => tagOf(page, WIDTH, 0) > 0,
  );
  if (pages.length === 0) throw new Fault('it is a TIFF without a picture');
  const pixels = (page: TiffPage): Picture => {
    const [width, height] = [tagOf(page, WIDTH, 0), tagOf(page, HEIGHT, 0)];
    checkSize(width, height);
    return decoding('TIFF', () => {
      UTIF.decodeImage(buffer, page as never);
      const isCmyk = tagOf(page, PHOTOMETRIC, 1) === CMYK;
      const gray = isCmyk ? grayOfCmyk(page, width, height) : grayOf(UTIF.toRGBA8(page as never), width, height);
      page.data = new Uint8Array();
      return gray;
    });
  };
  const page = (number: number): Picture => {
    const found = pages[number - 1] as TiffPage;
    checkCompression(found);
    describeJpeg(found);
    if (isDrawn(found)) return pixels(found);
    // Tesseract reads the first page of a file itself: other colour spaces, but fewer compressions.
    if (pages.length === 1) return { file: content, orientation: 1 };
    throw new Fault('it has pages in a colour space that is not read; save them as RGB or grey');
  };
  return { count: pages.length, page: async (number) => page(number) };
}

function tagOf(page: TiffPage, tag: number, missing: number): number {
  return Number((page[`t${tag}`] as ArrayLike<number> | undefined)?.[0] ?? missing);
}

/** @throws Fault: utif2 would return an empty page */
function checkCompression(page: TiffPage): void {
  const compression = tagOf(page, COMPRESSION, 1);
  if (COMPRESSIONS.has(compression)) return;
  const name = NAMES[compression] ?? String(compression);
  throw new Fault(`its TIFF compression ${name} is not read; save it with LZW, Deflate, JPEG or none`);
}

/** utif2 decodes JPEG data to RGB, also grey and CMYK ones, and needs the room for it. */
function describeJpeg(page: TiffPage): void {
  const photometric = tagOf(page, PHOTOMETRIC, 1);
  if (tagOf(page, COMPRESSION, 1) !== JPEG || photometric === RGB || photometric === YCBCR) return;
  Object.assign(page, { [`t${BITS}`]: [8, 8, 8], [`t${SAMPLES}`]: [3], [`t${PHOTOMETRIC}`]: [RGB] });
}

/** Whether utif2 draws such a page. */
function isDrawn(page: TiffPage): boolean {
  const [bits, photometric] = [tagOf(page, BITS, 1), tagOf(page, PHOTOMETRIC, 1)];
  const isJpeg = tagOf(page, COMPRESSION, 1) === JPEG || tagOf(page, COMPRESSION, 1) === 6;
  if (photometric === YCBCR && isJpeg) return true;
  const format = tagOf(page, SAMPLE_FORMAT, 1);
  const isKnown = format === 1 ? bits <= 16 : format === FLOAT && bits === 32;
  const isApart = photometric === CMYK && tagOf(page, PLANES, 1) === 2;
  return PHOTOMETRICS.has(photometric) && isKnown && !isApart;
}

/** From samples of 8 or 16 bits, of which the high byte counts. */
function grayOfCmyk(page: TiffPage, width: number, height: number): GrayPicture {
  const bytes = tagOf(page, BITS, 8) / 8;
  const step = bytes * tagOf(page, SAMPLES, 4);
  const high = bytes === 2 && page.isLE === true ? 1 : 0;
  const gray = new Uint8Array(width * height);
  for (let i = 0; i < gray.length; i++) {
    const light = (ink: number) => 255 - (page.data[i * step + ink * bytes + high] ?? 0);
    // The weights of ITU-R BT.601, for the light that cyan, magenta and yellow leave of red, green and blue.
    gray[i] = Math.round(((0.299 * light(0) + 0.587 * light(1) + 0.114 * light(2)) * light(3)) / 255);
  }
  return { width, height, gray };
}

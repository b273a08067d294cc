/** What the recognition reads: a file that Tesseract decodes itself, or the brightness of each pixel, row by row. */
export type Picture = { file: Uint8Array; orientation: number } | GrayPicture;
export interface GrayPicture {
  width: number;
  height: number;
  /** One byte for each pixel, 0 for black. */
  gray: Uint8Array;
}

/** A page of a PDF that needs no recognition. */
export interface PrintedText {
  printed: string;
}

/** A file, or a PDF, whose pages are pictures. */
export interface PictureSource {
  /** The number of pages. */
  count: number;
  /** A page, counted from 1. */
  page(page: number): Promise<Picture | PrintedText>;
}

/** From four bytes for each pixel, on a white ground. */
export function grayOf(rgba: ArrayLike<number>, width: number, height: number): GrayPicture {
  const gray = new Uint8Array(width * height);
  for (let i = 0, at = 0; i < gray.length; i++, at += 4) {
    const alpha = rgba[at + 3] as number;
    // The weights of ITU-R BT.601.
    const light = 0.299 * (rgba[at] as number) + 0.587 * (rgba[at + 1] as number) + 0.114 * (rgba[at + 2] as number);
    gray[i] = Math.round((light * alpha + 255 * (255 - alpha)) / 255);
  }
  return { width, height, gray };
}

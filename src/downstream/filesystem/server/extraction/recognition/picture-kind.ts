/** The first bytes of pictures that can be read, as Latin-1. */
const SIGNATURES = {
  png: /^\x89PNG\r\n\x1a\n/,
  jpeg: /^\xff\xd8\xff/,
  webp: /^RIFF.{4}WEBP/s,
  gif: /^GIF8[79]a/,
  bmp: /^BM.{4}\0{4}/s,
  tiff: /^(?:II\*\0|MM\0\*)/,
  heic: /^.{4}ftyp(?:hei[cxms]|hev[cx]|mif1|msf1)/s,
};
export type PictureKind = keyof typeof SIGNATURES;
/** The names of the formats, for messages. */
export const PICTURE_KINDS = Object.keys(SIGNATURES)
  .map((kind) => kind.toUpperCase())
  .join(', ');
const HEAD_BYTES = 16;

/** The format of a picture by its content; undefined for other files. */
export function pictureKindOf(content: Uint8Array): PictureKind | undefined {
  const head = Buffer.from(content.subarray(0, HEAD_BYTES)).toString('latin1');
  return (Object.keys(SIGNATURES) as PictureKind[]).find((kind) => SIGNATURES[kind].test(head));
}

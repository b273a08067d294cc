/** The first bytes of files that are not text, as Latin-1, by the media type that they have (IANA, or `x-` where none is registered). */
const SIGNATURES: [RegExp, string][] = [
  [/^%PDF-\d/, 'application/pdf'],
  [/^\{\\rtf\d/, 'application/rtf'],
  [/^\x89PNG/, 'image/png'],
  [/^\xff\xd8\xff/, 'image/jpeg'],
  [/^GIF8[79]a/, 'image/gif'],
  [/^RIFF.{4}WEBP/s, 'image/webp'],
  [/^(?:II\*\0|MM\0\*)/, 'image/tiff'],
  [/^.{4}ftyp(?:hei|mif1)/s, 'image/heic'],
  [/^.{4}ftyp/s, 'video/mp4'],
  [/^\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1/, 'application/x-ole-storage'],
  [/^\x1f\x8b/, 'application/gzip'],
  [/^7z\xbc\xaf\x27\x1c/, 'application/x-7z-compressed'],
  [/^Rar!\x1a\x07/, 'application/vnd.rar'],
  [/^BZh[1-9]1AY&SY/, 'application/x-bzip2'],
  [/^\xfd7zXZ\0/, 'application/x-xz'],
  [/^\x7fELF/, 'application/x-elf'],
  [/^SQLite format 3\0/, 'application/vnd.sqlite3'],
  [/^(?:ID3[\x02-\x04]|OggS\0|fLaC\0)/, 'audio/x-audio'],
];
const ZIP = /^PK\x03\x04/;
/** An OpenDocument or EPUB file begins with an entry that is its media type. */
const STATED_IN_ZIP = /^.{30}mimetype(application\/[\w.+-]+)/s;
const OOXML = 'application/vnd.openxmlformats-officedocument';
/** Names of the parts that the formats of Office Open XML can not be without. */
const PARTS: [string, string][] = [
  ['word/document', `${OOXML}.wordprocessingml.document`],
  ['xl/workbook', `${OOXML}.spreadsheetml.sheet`],
  ['ppt/presentation', `${OOXML}.presentationml.presentation`],
];
const HEAD_BYTES = 128;

/** The media type of a file by its content; undefined for text and for what is not known. */
export function signatureType(bytes: Buffer): string | undefined {
  const head = bytes.toString('latin1', 0, HEAD_BYTES);
  if (!ZIP.test(head)) return SIGNATURES.find(([pattern]) => pattern.test(head))?.[1];
  const stated = STATED_IN_ZIP.exec(head)?.[1];
  // The media type is followed by the next entry, which begins with PK.
  if (stated !== undefined) return stated.replace(/PK$/, '');
  return PARTS.find(([part]) => bytes.includes(part))?.[1] ?? 'application/zip';
}

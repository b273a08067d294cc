/** The first bytes of files that are not text, as Latin-1, by media type (IANA, or `x-` for an unregistered one). */
const SIGNATURES: [RegExp, string][] = [
  [/^%PDF-\d/, 'application/pdf'],
  [/^\{\\rtf\d/, 'application/rtf'],
  [/^\x89PNG/, 'image/png'],
  [/^\xff\xd8\xff/, 'image/jpeg'],
  [/^GIF8[79]a/, 'image/gif'],
  [/^RIFF.{4}WEBP/s, 'image/webp'],
  [/^(?:II\*\0|MM\0\*)/, 'image/tiff'],
  [/^BM.{4}\0{4}/s, 'image/bmp'],
  [/^.{4}ftyp(?:hei|hev|mif1|msf1)/s, 'image/heic'],
  [/^.{4}ftypavi/s, 'image/avif'],
  [/^.{4}ftyp/s, 'video/mp4'],
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
/** An OpenDocument or EPUB file begins with an entry that contains its media type. */
const STATED_IN_ZIP = /^.{30}mimetype(application\/[\w.+-]+)/s;
const OOXML = 'application/vnd.openxmlformats-officedocument';
/** Names of the parts that a format always has. */
const PARTS: [string, string][] = [
  ['word/document', `${OOXML}.wordprocessingml.document`],
  ['xl/workbook', `${OOXML}.spreadsheetml.sheet`],
  ['ppt/presentation', `${OOXML}.presentationml.presentation`],
  ['META-INF/container.xml', 'application/epub+zip'],
];
const OLE = /^\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1/;
/**
 * Names of the streams that a format always has (MS-CFB). A file with a password is an encrypted Office Open XML file.
 */
const STREAMS: [string, string][] = [
  ['EncryptedPackage', `${OOXML}.wordprocessingml.document`],
  ['WordDocument', 'application/msword'],
  ['Workbook', 'application/vnd.ms-excel'],
  ['Book', 'application/vnd.ms-excel'],
  ['PowerPoint Document', 'application/vnd.ms-powerpoint'],
  ['__nameid_version1.0', 'application/vnd.ms-outlook'],
];
const HEAD_BYTES = 512;

/** The media type of a file by its content; undefined for text and for unknown formats. */
export function signatureType(bytes: Buffer): string | undefined {
  const head = bytes.toString('latin1', 0, HEAD_BYTES);
  if (OLE.test(head)) {
    const found = STREAMS.find(([stream]) => bytes.includes(Buffer.from(`${stream}\0`, 'utf16le')));
    return found?.[1] ?? 'application/x-ole-storage';
  }
  if (!ZIP.test(head))
    return isTar(head) ? 'application/x-tar' : SIGNATURES.find(([pattern]) => pattern.test(head))?.[1];
  const stated = STATED_IN_ZIP.exec(head)?.[1];
  // The media type is followed by the next entry, which begins with PK.
  if (stated !== undefined) return stated.replace(/PK$/, '');
  return typeByParts(bytes) ?? 'application/zip';
}

/**
 * A file may contain files of other formats. Its own directory is at the end, so the last name found decides the
 * format.
 */
function typeByParts(bytes: Buffer): string | undefined {
  const found = PARTS.map(([part, type]) => ({ type, at: bytes.lastIndexOf(part) })).filter(({ at }) => at !== -1);
  return found.sort((a, b) => b.at - a.at)[0]?.type;
}

/** The mark of POSIX.1-1988 ustar, at byte 257. */
const isTar = (head: string) => head.startsWith('ustar', 257);

/** The media type of a text file that neither the sender nor the name states; undefined for other texts. */
export function textSignatureType(bytes: Buffer): string | undefined {
  const head = bytes.toString('latin1', 0, HEAD_BYTES * 8).replace(/^\xef\xbb\xbf/, '');
  return TEXT_SIGNATURES.find(([pattern]) => pattern.test(head))?.[1];
}

const MAIL_FIELD = '(?:Return-Path|Received|Delivered-To|From|To|Date|Subject|Message-ID|MIME-Version)';
const TEXT_SIGNATURES: [RegExp, string][] = [
  [/^\s*<(?:!doctype html|html)\b/i, 'text/html'],
  [/^WEBVTT(?:\s|$)/, 'text/vtt'],
  [/^\d+\r?\n\d{2}:\d{2}:\d{2},\d{3} --> /, 'application/x-subrip'],
  [/^From \S[^\n]*\d{4}(?: [-+]\d{4})?\s*\n[\x21-\x39\x3b-\x7e]+:/, 'application/mbox'],
  // At least two header fields, because a note may begin with one.
  [
    new RegExp(
      `^${MAIL_FIELD}: [^\\n]*\\n(?:[\\x21-\\x39\\x3b-\\x7e]+:[^\\n]*\\n|[ \\t][^\\n]*\\n)*${MAIL_FIELD}: `,
      'i',
    ),
    'message/rfc822',
  ],
  [/^\s*\{[^]*?"(?:nbformat|cells)"\s*:/, 'application/x-ipynb+json'],
];

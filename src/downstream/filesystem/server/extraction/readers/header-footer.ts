/** A code of a header or footer of a sheet (ECMA-376, part 1, 18.3.1.46): a font, a colour, a size, a style or a field. */
const CODE = /&(?:"[^"]*"|K[0-9A-F]{6}|K\d\d[+-]\d{3}|\d+|(&)|([LCR])|.)/gi;

/** The text that was written into a header or footer; empty where it has nothing but fields, such as the page number. */
export function marginText(coded: string): string {
  const text = coded
    .replaceAll(CODE, (_code, ampersand?: string, section?: string) => ampersand ?? (section === undefined ? '' : '\n'))
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => /\p{L}/u.test(line));
  // What stands beside the number of a page in any language is one word.
  const isNumbering = /&P/i.test(coded) && text.every((line) => !/\s\p{L}{4}/u.test(line));
  return isNumbering ? '' : text.join('\n');
}

const MARGIN = /<(?:odd|even|first)(?:Header|Footer)\b[^>]*>([^<]*)</g;
const ENTITIES: Record<string, string> = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' };

/** The headers and footers of a worksheet part: its element `headerFooter` is behind the cells. */
export function sheetMargins(part: Uint8Array): string[] {
  const bytes = Buffer.from(part.buffer, part.byteOffset, part.byteLength);
  const at = bytes.lastIndexOf('<headerFooter');
  if (at === -1) return [];
  return [...bytes.toString('utf8', at).matchAll(MARGIN)]
    .map(([, coded = '']) => coded.replaceAll(/&(lt|gt|quot|apos|amp);/g, (_all, name: string) => ENTITIES[name] ?? ''))
    .map(marginText)
    .filter((text) => text !== '');
}

/** BrtBeginHeaderFooter: two bytes of flags, then six texts, each with its length in UTF-16 code units (MS-XLSB, 2.4.71). */
const HEADER_FOOTER = 0x1df;
const FLAG_BYTES = 2;
const TEXTS = 6;
const NO_TEXT = 0xffffffff;

/** {@link sheetMargins} of a worksheet part of XLSB, which consists of records (MS-XLSB, 2.1.4). */
export function binarySheetMargins(part: Uint8Array): string[] {
  const bytes = Buffer.from(part.buffer, part.byteOffset, part.byteLength);
  const found: string[] = [];
  for (let at = 0; at < bytes.length;) {
    const type = sevenBitNumber(bytes, at, 2);
    const size = sevenBitNumber(bytes, type.end, 4);
    if (type.value === HEADER_FOOTER) found.push(...textsOf(bytes.subarray(size.end, size.end + size.value)));
    at = size.end + size.value;
  }
  return found.map(marginText).filter((text) => text !== '');
}

/** A number of up to `most` bytes of seven bits, the lowest first; the eighth bit says that another one follows. */
function sevenBitNumber(bytes: Buffer, start: number, most: number): { value: number; end: number } {
  let value = 0;
  let at = start;
  for (let n = 0; n < most; n++) {
    const byte = bytes[at++] ?? 0;
    value += (byte & 0x7f) * 2 ** (7 * n);
    if (byte < 0x80) break;
  }
  return { value, end: at };
}

function textsOf(record: Buffer): string[] {
  const found: string[] = [];
  let at = FLAG_BYTES;
  for (let n = 0; n < TEXTS && at + 4 <= record.length; n++) {
    const length = record.readUInt32LE(at);
    at += 4;
    if (length === NO_TEXT) continue;
    found.push(record.toString('utf16le', at, Math.min(record.length, at + 2 * length)));
    at += 2 * length;
  }
  return found;
}

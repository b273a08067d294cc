import type { Property } from './properties.ts';

/** Identifiers in a summary information stream (MS-OLEPS, 2.25.1). */
const NAMES: Record<number, string> = { 2: 'Title', 3: 'Subject', 4: 'Author', 5: 'Keywords', 6: 'Description' };
const CODE_PAGE = 1;
const TYPE = { narrow: 30, wide: 31 };
const UTF8 = 65001;
const MAX_PROPERTIES = 100;

/** The properties in the stream `SummaryInformation` of an OLE file; none where it is damaged. */
export function summaryProperties(stream: Uint8Array): Property[] {
  const bytes = Buffer.from(stream.buffer, stream.byteOffset, stream.byteLength);
  try {
    return readProperties(bytes);
  } catch (error) {
    if (error instanceof RangeError) return [];
    throw error;
  }
}

/** A stream has a head of 28 bytes, then for each set its identifier and its place. */
function readProperties(bytes: Buffer): Property[] {
  const set = bytes.readUInt32LE(44);
  const count = Math.min(bytes.readUInt32LE(set + 4), MAX_PROPERTIES);
  const places = Array.from({ length: count }, (_, n) => ({
    id: bytes.readUInt32LE(set + 8 + 8 * n),
    at: set + bytes.readUInt32LE(set + 12 + 8 * n),
  }));
  const page = places.find(({ id }) => id === CODE_PAGE);
  const codePage = page === undefined ? 1252 : bytes.readUInt16LE(page.at + 4);
  return places.flatMap(({ id, at }): Property[] => {
    const name = NAMES[id];
    return name === undefined ? [] : [[name, stringAt(bytes, at, codePage)]];
  });
}

function stringAt(bytes: Buffer, at: number, codePage: number): string {
  const type = bytes.readUInt16LE(at);
  const length = bytes.readUInt32LE(at + 4);
  if (type !== TYPE.narrow && type !== TYPE.wide) return '';
  const content = bytes.subarray(at + 8, at + 8 + (type === TYPE.wide ? 2 * length : length));
  const text = type === TYPE.wide ? content.toString('utf16le') : narrow(content, codePage);
  return text.split('\0')[0] ?? '';
}

function narrow(content: Buffer, codePage: number): string {
  const label = codePage === UTF8 ? 'utf-8' : `windows-${codePage}`;
  try {
    return new TextDecoder(label).decode(content);
  } catch {
    return content.toString('latin1');
  }
}

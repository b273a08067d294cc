import { strFromU8, unzipSync } from 'fflate';
import { Fault } from './fault.ts';
import { refuseZipBomb } from './zip-bomb.ts';

/**
 * The parts of an archive may unpack to this multiple of the largest text: markup takes more space than text, and a zip
 * bomb far more.
 */
const MAX_MARKUP_RATIO = 10;

/** The parts of a document that is a zip archive. */
export interface Parts {
  /** The names of all entries, also of those that are not unpacked. */
  names: readonly string[];
  /** Empty where the part does not exist. */
  text: (name: string) => string;
  bytes: Record<string, Uint8Array>;
}

/**
 * Unpacks the parts whose names match.
 * @param format the name of the format with an article, for error texts
 * @throws Fault
 */
export function partsOf(content: Uint8Array, format: string, wanted: RegExp, maxTextBytes: number): Parts {
  refuseEncrypted(content);
  if (content[0] !== 0x50 || content[1] !== 0x4b) throw new Fault(`it is not ${format}: these are ZIP archives`);
  refuseZipBomb(content, maxTextBytes * MAX_MARKUP_RATIO);
  const names: string[] = [];
  const filter = ({ name }: { name: string }) => {
    names.push(name);
    return wanted.test(name);
  };
  try {
    const bytes = unzipSync(content, { filter });
    return { names, bytes, text: (name) => (Object.hasOwn(bytes, name) ? xmlText(bytes[name] as Uint8Array) : '') };
  } catch (error) {
    throw new Fault(`it is a damaged archive (${(error as Error).message})`);
  }
}

/** XML is UTF-8 unless a byte order mark says that it is UTF-16. */
function xmlText(bytes: Uint8Array): string {
  const isWide = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
  return isWide ? new TextDecoder(bytes[0] === 0xff ? 'utf-16le' : 'utf-16be').decode(bytes) : strFromU8(bytes);
}

const OLE = Buffer.from('d0cf11e0a1b11ae1', 'hex');
/** The stream with an encrypted Office Open XML document (MS-OFFCRYPTO 2.3). */
const ENCRYPTED = Buffer.from('EncryptedPackage', 'utf16le');

export function refuseEncrypted(content: Uint8Array): void {
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
  if (bytes.subarray(0, OLE.length).equals(OLE) && bytes.includes(ENCRYPTED)) {
    throw new Fault('it is protected by a password');
  }
}

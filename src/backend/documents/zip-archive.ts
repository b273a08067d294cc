import { promisify } from 'node:util';
import { crc32, inflateRaw } from 'node:zlib';
import { badRequest, Problem } from '../../http/problem.js';

const inflate = promisify(inflateRaw);

const END_OF_DIRECTORY = 0x06054b50;
const DIRECTORY_ENTRY = 0x02014b50;
const FILE_HEADER = 0x04034b50;
const MAX_COMMENT_BYTES = 65_535;
const STORED = 0;
const DEFLATED = 8;
/** Below this a file may be packed as tightly as it likes. */
const SMALL_BYTES = 1024 * 1024;

export interface ArchiveLimits {
  max_files: number;
  max_bytes: number;
  max_ratio: number;
}

/** A file in an archive; its bytes are unpacked when they are asked for, so that one at a time is in memory. */
export interface ArchiveEntry {
  path: string;
  /** @throws Problem 422 `broken_entry` */
  bytes(): Promise<Buffer>;
}

/**
 * The files of a zip archive by its directory (APPNOTE 6.3, 4.3), without folders and what macOS adds. What the directory
 * says of sizes is held against the limits first, and against the truth when a file is unpacked.
 * @throws Problem 400 `invalid_archive`, 413 `archive_too_large`
 */
export function readArchive(zip: Buffer, limits: ArchiveLimits): ArchiveEntry[] {
  const end = endOfDirectory(zip);
  const count = zip.readUInt16LE(end + 10);
  let at = zip.readUInt32LE(end + 16);
  if (at === 0xffffffff || count === 0xffff) throw invalid('a Zip64 archive is not taken');
  const entries: ArchiveEntry[] = [];
  let total = 0;
  for (let i = 0; i < count; i++) {
    if (at + 46 > zip.length || zip.readUInt32LE(at) !== DIRECTORY_ENTRY) throw invalid('its directory is damaged');
    const nameLength = zip.readUInt16LE(at + 28);
    const name = zip.subarray(at + 46, at + 46 + nameLength);
    const entry: DirectoryEntry = {
      path: name.toString('utf8').normalize('NFC'),
      encrypted: (zip.readUInt16LE(at + 8) & 1) !== 0,
      method: zip.readUInt16LE(at + 10),
      crc: zip.readUInt32LE(at + 16),
      packed: zip.readUInt32LE(at + 20),
      size: zip.readUInt32LE(at + 24),
      offset: zip.readUInt32LE(at + 42),
    };
    at += 46 + nameLength + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32);
    if (entry.path.endsWith('/') || /(^|\/)(__MACOSX\/|\.DS_Store$)/.test(entry.path)) continue;
    total += entry.size;
    if (entries.length >= limits.max_files) throw tooLarge(`it holds more than ${limits.max_files} files`);
    if (total > limits.max_bytes) throw tooLarge(`unpacked it has more than ${limits.max_bytes} bytes`);
    entries.push({ path: entry.path, bytes: () => unpack(zip, entry, limits.max_ratio) });
  }
  return entries;
}

interface DirectoryEntry {
  path: string;
  encrypted: boolean;
  method: number;
  crc: number;
  packed: number;
  size: number;
  offset: number;
}

async function unpack(zip: Buffer, entry: DirectoryEntry, maxRatio: number): Promise<Buffer> {
  const { encrypted, method, crc, packed, size, offset } = entry;
  if (encrypted) throw broken('it is encrypted');
  if (method !== STORED && method !== DEFLATED) throw broken(`it is packed by method ${method}; deflate is taken`);
  if (size > SMALL_BYTES && size > packed * maxRatio)
    throw broken(`it unpacks to more than ${maxRatio} times its size`);
  if (offset + 30 > zip.length || zip.readUInt32LE(offset) !== FILE_HEADER) throw broken('its header is damaged');
  const start = offset + 30 + zip.readUInt16LE(offset + 26) + zip.readUInt16LE(offset + 28);
  if (start + packed > zip.length) throw broken('it is cut short');
  const data = zip.subarray(start, start + packed);
  const bytes =
    method === STORED
      ? data
      : await inflate(data, { maxOutputLength: Math.max(1, size) }).catch(() => {
          throw broken('its data is damaged');
        });
  if (bytes.length !== size || crc32(bytes) !== crc) throw broken('its size or checksum is not the one it should have');
  return bytes;
}

/** The directory's end stands last, behind it a comment at most. */
function endOfDirectory(zip: Buffer): number {
  for (let at = zip.length - 22; at >= Math.max(0, zip.length - 22 - MAX_COMMENT_BYTES); at--) {
    if (zip.readUInt32LE(at) === END_OF_DIRECTORY) return at;
  }
  throw invalid('it has no directory; it may be cut short, or no zip archive at all');
}

const invalid = (why: string) => badRequest('invalid_archive', `body: the archive can not be read: ${why}`);
const tooLarge = (why: string) =>
  new Problem({ status: 413, code: 'archive_too_large', detail: `body: the archive is refused: ${why}` });
const broken = (why: string) =>
  new Problem({ status: 422, code: 'broken_entry', detail: `this file of the archive can not be read: ${why}` });

import { crc32, inflateRawSync } from 'node:zlib';
import { type Entry, fromBufferPromise, type ZipFile } from 'yauzl';
import {
  type ArchiveEntry,
  type ArchiveLimits,
  archiveTooLarge as tooLarge,
  brokenEntry as broken,
  invalidArchive as invalid,
  MAX_LISTED_RATIO,
  SMALL_BYTES,
} from './archive.js';
import { nameReader } from './entry-names.js';
import { junkOf, type SkippedFiles } from './junk.js';
import { Slices } from '../slices.js';

const STORED = 0;
const DEFLATED = 8;
/** A file up to this size is unpacked at once, which blocks the event loop for less than a millisecond. */
const SHORT_BYTES = 128 * 1024;

/**
 * Lists the files of a zip archive by its directory (APPNOTE 6.3, 4.3; Zip64 included), without folders and junk, which
 * goes to `skipped`. One file at a time is unpacked. The sizes that the directory states are checked against the limits
 * here, and against the data when a file is unpacked.
 * @throws Problem 400 `invalid_archive`, 413 `archive_too_large`
 */
export async function readZip(zip: Buffer, limits: ArchiveLimits, skipped: SkippedFiles): Promise<ArchiveEntry[]> {
  const archive = await open(zip);
  const slices = new Slices();
  const listed = await directoryOf(archive, limits, slices);
  const nameOf = nameReader(listed);
  const entries: ArchiveEntry[] = [];
  let totalBytes = 0;
  for (const entry of listed) {
    await slices.next();
    const path = nameOf(entry).normalize('NFC');
    const junk = junkOf(path);
    if (junk !== undefined) skipped.add(junk);
    if (junk !== undefined || path.endsWith('/')) continue;
    totalBytes += entry.uncompressedSize;
    if (entries.length >= limits.max_files) throw tooLarge(`it holds more than ${limits.max_files} files`);
    if (totalBytes > limits.max_bytes) throw tooLarge(`unpacked it has more than ${limits.max_bytes} bytes`);
    entries.push({ path, bytes: () => unpack(zip, archive, entry, limits.max_ratio) });
  }
  return entries;
}

async function open(zip: Buffer): Promise<ZipFile> {
  try {
    return await fromBufferPromise(zip, { decodeStrings: false, validateEntrySizes: true, autoClose: false });
  } catch (error) {
    throw invalid((error as Error).message);
  }
}

async function directoryOf(archive: ZipFile, { max_files }: ArchiveLimits, slices: Slices): Promise<Entry[]> {
  const listed: Entry[] = [];
  for await (const entry of entriesOf(archive)) {
    listed.push(entry);
    if (listed.length > max_files * MAX_LISTED_RATIO) {
      throw tooLarge(`its directory lists more than ${max_files * MAX_LISTED_RATIO} entries`);
    }
    await slices.next();
  }
  return listed;
}

async function* entriesOf(archive: ZipFile): AsyncGenerator<Entry> {
  try {
    yield* archive.eachEntry();
  } catch (error) {
    throw invalid(`its directory is damaged (${(error as Error).message})`);
  }
}

async function unpack(zip: Buffer, archive: ZipFile, entry: Entry, maxRatio: number): Promise<Buffer> {
  const { compressionMethod: method, compressedSize, uncompressedSize } = entry;
  if (entry.isEncrypted()) throw broken('it is encrypted');
  if (method !== STORED && method !== DEFLATED)
    throw broken(`it is packed by method ${method}; only stored and deflated files can be read`);
  if (uncompressedSize > SMALL_BYTES && uncompressedSize > compressedSize * maxRatio)
    throw broken(`it unpacks to more than ${maxRatio} times its size`);
  const isShort = uncompressedSize <= SHORT_BYTES && compressedSize <= SHORT_BYTES;
  const content = isShort ? shortContentOf(zip, archive, entry) : contentOf(archive, entry);
  const bytes = await content.catch((error: Error) => {
    throw broken(`its data is damaged (${error.message})`);
  });
  if (crc32(bytes) !== entry.crc32) throw broken('its checksum is not the one in the directory');
  return bytes;
}

/** Without a stream, which takes several times as long as the unpacking of a note. */
async function shortContentOf(zip: Buffer, archive: ZipFile, entry: Entry): Promise<Buffer> {
  const { compressionMethod: method, compressedSize, uncompressedSize } = entry;
  const { fileDataStart } = await archive.readLocalFileHeaderPromise(entry, { minimal: true });
  const packed = zip.subarray(fileDataStart, fileDataStart + compressedSize);
  const bytes = method === STORED ? packed : inflateRawSync(packed, { maxOutputLength: Math.max(1, uncompressedSize) });
  if (bytes.length === uncompressedSize) return bytes;
  throw new Error(`it has ${bytes.length} bytes instead of ${uncompressedSize}`);
}

async function contentOf(archive: ZipFile, entry: Entry): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of await archive.openReadStreamPromise(entry)) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

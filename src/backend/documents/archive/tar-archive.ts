import { once } from 'node:events';
import { Readable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { promisify } from 'node:util';
import { createGunzip, deflateRaw, inflateRaw } from 'node:zlib';
import pLimit from 'p-limit';
import { Parser, type ReadEntry } from 'tar';
import {
  type ArchiveEntry,
  type ArchiveLimits,
  archiveTooLarge,
  invalidArchive,
  MAX_LISTED_RATIO,
  SMALL_BYTES,
} from './archive.js';
import { junkOf, type SkippedFiles } from './junk.js';

const pack: (bytes: Buffer, options: { level: number }) => Promise<Buffer> = promisify(deflateRaw);
const unpack: (bytes: Buffer) => Promise<Buffer> = promisify(inflateRaw);
const FILES = new Set(['File', 'OldFile', 'ContiguousFile']);
const FOLDERS = new Set(['Directory', 'GNUDumpDir']);
/** The headers in one chunk block the event loop for some milliseconds. */
const CHUNK_BYTES = 64 * 1024;
/** A smaller file is kept as it is: packing it costs more memory than it saves. */
const WORTH_PACKING_BYTES = 4096;
/** Each packing in progress takes about 256 KiB. */
const PACKED_AT_ONCE = 4;
/** The fastest level, because the files are kept only for one request. */
const LEVEL = { level: 1 };

/**
 * Lists the files of a tar archive (POSIX pax, GNU), with or without gzip, without folders, links and junk; links and
 * junk go to `skipped`. A tar has no directory, so the whole archive is read first; each file is kept compressed until
 * it is stored.
 * @throws Problem 400 `invalid_archive`, 413 `archive_too_large`
 */
export async function readTar(tar: Buffer, limits: ArchiveLimits, skipped: SkippedFiles): Promise<ArchiveEntry[]> {
  const reading = new TarReading(limits, skipped);
  const parser = new Parser({ onReadEntry: (entry) => reading.take(entry), onwarn: reading.warn });
  const ended = once(parser, 'end');
  let isOver = false;
  parser.once('eof', () => (isOver = true));
  for await (const chunk of chunksOf(tar, limits)) {
    // Entries are read synchronously, so there is nothing to await.
    parser.write(chunk);
    if (reading.fault !== undefined) throw reading.fault;
    // Bytes after the end are padding.
    if (isOver) break;
  }
  parser.end();
  if (reading.fault !== undefined) throw reading.fault;
  await ended;
  return reading.entries();
}

/** @throws Problem 413 where the unpacked data exceed the limit */
async function* chunksOf(tar: Buffer, { max_bytes, max_ratio }: ArchiveLimits): AsyncGenerator<Buffer> {
  const isPacked = tar[0] === 0x1f && tar[1] === 0x8b;
  if (!isPacked) {
    for (let at = 0; at < tar.length; at += CHUNK_BYTES) {
      yield tar.subarray(at, at + CHUNK_BYTES);
      await nextTurn();
    }
    return;
  }
  let bytes = 0;
  const unpacking = Readable.from([tar]).pipe(createGunzip({ chunkSize: CHUNK_BYTES }));
  try {
    for await (const chunk of unpacking as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      // Headers and padding are added to the size of the files.
      if (bytes > 2 * max_bytes) throw archiveTooLarge(`unpacked it has more than ${max_bytes} bytes`);
      if (bytes > SMALL_BYTES && bytes > tar.length * max_ratio) {
        throw archiveTooLarge(`it unpacks to more than ${max_ratio} times its size`);
      }
      yield chunk;
    }
  } catch (error) {
    const isDamage = (error as NodeJS.ErrnoException).code?.startsWith('Z_') === true;
    throw isDamage ? invalidArchive((error as Error).message) : error;
  }
}

class TarReading {
  /** The error that ends the reading. */
  fault: Error | undefined;
  private readonly files: { path: string; content: Promise<() => Promise<Buffer>> }[] = [];
  private readonly limit = pLimit(PACKED_AT_ONCE);
  private listed = 0;
  private bytes = 0;

  constructor(
    private readonly limits: ArchiveLimits,
    private readonly skipped: SkippedFiles,
  ) {}

  readonly warn = (code: string, message: string | Error): void => {
    // All other warnings concern entries that a tar may contain and that are not documents.
    if (code === 'TAR_BAD_ARCHIVE' || code === 'TAR_ENTRY_INVALID' || code === 'TAR_ABORT') {
      this.fault ??= invalidArchive(String(message instanceof Error ? message.message : message));
    }
  };

  take(entry: ReadEntry): void {
    const path = entry.path.normalize('NFC').replace(/^(?:\.\/)+/, '');
    const junk = junkOf(path) ?? (FILES.has(entry.type) ? undefined : { path, reason: 'a link or a device' });
    const isFolder = FOLDERS.has(entry.type);
    if (junk !== undefined && !(isFolder && junk.reason === 'a link or a device')) this.skipped.add(junk);
    this.listed++;
    const { max_files, max_bytes } = this.limits;
    if (this.listed > max_files * MAX_LISTED_RATIO) {
      this.fault ??= archiveTooLarge(`it lists more than ${max_files * MAX_LISTED_RATIO} entries`);
    }
    if (junk !== undefined || isFolder || this.fault !== undefined) return void entry.resume();
    this.bytes += entry.size;
    if (this.files.length >= max_files) this.fault = archiveTooLarge(`it holds more than ${max_files} files`);
    if (this.bytes > max_bytes) this.fault = archiveTooLarge(`unpacked it has more than ${max_bytes} bytes`);
    if (this.fault === undefined) this.files.push({ path, content: this.keep(entry) });
    else entry.resume();
  }

  entries(): Promise<ArchiveEntry[]> {
    return Promise.all(this.files.map(async ({ path, content }) => ({ path, bytes: await content })));
  }

  private async keep(entry: ReadEntry): Promise<() => Promise<Buffer>> {
    const chunks: Buffer[] = [];
    entry.on('data', (chunk) => chunks.push(chunk));
    await once(entry, 'end');
    const bytes = Buffer.concat(chunks);
    if (bytes.length < WORTH_PACKING_BYTES) return () => Promise.resolve(bytes);
    const packed = await this.limit(() => pack(bytes, LEVEL));
    return () => unpack(packed);
  }
}

import type { ArchiveEntry, ArchiveLimits } from './archive.js';
import type { SkippedFiles } from './junk.js';
import { readTar } from './tar-archive.js';
import { readZip } from './zip-archive.js';

const TYPES = /^application\/(?:zip|x-zip-compressed|x-tar|x-gtar|gzip|x-gzip|x-compressed-tar|x-tgz)$/;
const NAMES = /\.(?:zip|tar|tgz|tar\.gz)$/i;
const ZIP = /^PK(?:\x03\x04|\x05\x06|\x07\x08)/;

/** Whether a file is an archive of documents, by its media type or its name. */
export function isArchive(mediaType: string, name = ''): boolean {
  return TYPES.test(mediaType) || NAMES.test(name);
}

/** Reads a zip archive, or a tar archive with or without gzip; the first bytes decide. @throws Problem 400, 413 */
export function readArchive(bytes: Buffer, limits: ArchiveLimits, skipped: SkippedFiles): Promise<ArchiveEntry[]> {
  const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
  const isTar = bytes.toString('latin1', 257, 262) === 'ustar';
  const isZip = ZIP.test(bytes.toString('latin1', 0, 4));
  return !isZip && (isGzip || isTar) ? readTar(bytes, limits, skipped) : readZip(bytes, limits, skipped);
}

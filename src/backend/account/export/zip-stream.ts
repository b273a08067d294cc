import { PassThrough, Readable } from 'node:stream';
import { ZipFile } from 'yazl';

/** A file of an archive that is being written. */
export interface ZipEntry {
  name: string;
  changedAt: Date;
  content: Buffer | AsyncIterable<Buffer>;
}

/** The earliest time that an entry can have. */
const EARLIEST_MS = Date.UTC(1980, 0, 2);

/**
 * Writes entries to a zip archive (APPNOTE 6.3, Zip64 where needed) while it is read. The next entry is taken when the one
 * before was read, so memory holds one entry at a time. The stream fails where the entries do: what was sent by then is no
 * complete archive.
 */
export function zipStream(entries: AsyncIterable<ZipEntry>): Readable {
  const zip = new ZipFile();
  const out = new PassThrough();
  const packed = zip.outputStream as Readable;
  packed.pipe(out);
  const fail = (error: unknown) => out.destroy(error instanceof Error ? error : new Error(String(error)));
  zip.on('error', fail);
  packed.on('error', fail);
  void write(zip, entries, out).then(() => zip.end(), fail);
  return out;
}

async function write(zip: ZipFile, entries: AsyncIterable<ZipEntry>, out: Readable): Promise<void> {
  for await (const { name, changedAt, content } of entries) {
    if (out.destroyed) return;
    const source = Buffer.isBuffer(content) ? Readable.from([content]) : Readable.from(content);
    await new Promise<void>((resolve, reject) => {
      const stop = () => source.destroy();
      out.once('close', stop);
      source.once('error', reject);
      source.once('close', () => {
        out.off('close', stop);
        resolve();
      });
      zip.addReadStreamLazy(name, { mtime: new Date(Math.max(EARLIEST_MS, changedAt.getTime())) }, (pass) => {
        pass(null, source);
      });
    });
  }
}

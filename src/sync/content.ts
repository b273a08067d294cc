import { createHash } from 'node:crypto';

const UTF8_BOM = Buffer.from([0xef, 0xbb, 0xbf]);

/** The SHA-256 of a file. The server keeps a text without its byte order mark, so the mark does not count. */
export function digestOf(bytes: Buffer): string {
  const hasMark = bytes.subarray(0, UTF8_BOM.length).equals(UTF8_BOM);
  return createHash('sha256')
    .update(hasMark ? bytes.subarray(UTF8_BOM.length) : bytes)
    .digest('hex');
}

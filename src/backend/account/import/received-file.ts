import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Problem } from '../../../http/problem.js';

const folderIn = (dataDir: string) => join(dataDir, 'backend', 'received');

/** Writes a request's body to a file, and removes the file after `work`. @throws Problem 413 `too_large` */
export async function withFileOf<T>(
  body: Readable,
  { dataDir, maxBytes }: { dataDir: string; maxBytes: number },
  work: (file: string) => Promise<T>,
): Promise<T> {
  await mkdir(folderIn(dataDir), { recursive: true, mode: 0o700 });
  const file = join(folderIn(dataDir), `${randomUUID()}.zip`);
  try {
    await pipeline(body, (chunks) => atMost(chunks as AsyncIterable<Buffer>, maxBytes), createWriteStream(file));
    return await work(file);
  } finally {
    await rm(file, { force: true });
  }
}

/** Removes the files that a killed process left. */
export async function removeReceived(dataDir: string): Promise<void> {
  await rm(folderIn(dataDir), { recursive: true, force: true });
}

async function* atMost(chunks: AsyncIterable<Buffer>, maxBytes: number): AsyncGenerator<Buffer> {
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.length;
    if (bytes > maxBytes) {
      const detail = `body: more than ${maxBytes} bytes are too many (account.import_max_bytes)`;
      throw new Problem({ status: 413, code: 'too_large', detail });
    }
    yield chunk;
  }
}

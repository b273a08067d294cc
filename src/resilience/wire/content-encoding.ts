import { Readable } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from 'node:zlib';

const DECODERS = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
  zstd: createZstdDecompress,
};

/** Decompresses a body by its `Content-Encoding`. Some proxies compress without being asked to. */
export function decoded(body: AsyncIterable<Uint8Array>, encoding: string | undefined): AsyncIterable<Uint8Array> {
  const name = encoding?.trim().toLowerCase();
  const decoder = name === undefined ? undefined : DECODERS[name as keyof typeof DECODERS];
  if (decoder === undefined) return body;
  const source = Readable.from(body, { objectMode: false });
  const decompressing = decoder();
  source.on('error', (error) => decompressing.destroy(error));
  return source.pipe(decompressing);
}

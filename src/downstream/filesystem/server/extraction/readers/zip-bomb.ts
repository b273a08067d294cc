import { Unzip, UnzipInflate } from 'fflate';
import { Fault } from './fault.ts';

/** Unpacks in pieces of at most 4 MiB, so that an excess is noticed early. */
const CHUNK_BYTES = 4096;

/** Unpacks everything once without keeping it, because the sizes that an archive states may be false. @throws Fault */
export function refuseZipBomb(content: Uint8Array, maxBytes: number): void {
  let unpacked = 0;
  let damage: string | undefined;
  const unzip = new Unzip((file) => {
    file.ondata = (error, data) => {
      damage ??= error?.message;
      unpacked += data?.length ?? 0;
    };
    file.start();
  });
  unzip.register(UnzipInflate);
  for (let at = 0; at < content.length; at += CHUNK_BYTES) {
    try {
      unzip.push(content.slice(at, at + CHUNK_BYTES), at + CHUNK_BYTES >= content.length);
    } catch (error) {
      damage ??= (error as Error).message;
    }
    if (unpacked > maxBytes) throw new Fault(`it unpacks to more than ${maxBytes} bytes`);
    if (damage !== undefined) throw new Fault(`it is a damaged archive (${damage})`);
  }
}

import { Fault } from '../readers/fault.ts';

/** A picture with more pixels would take minutes and gigabytes. */
const MAX_PIXELS = 100_000_000;

/** @throws Fault */
export function checkSize(width: number, height: number): void {
  if (width * height > MAX_PIXELS)
    throw new Fault(`it has ${width} × ${height} pixels; at most ${MAX_PIXELS} are read`);
}

/** An exception of a decoder means a fault of the file. */
export function decoding<T>(format: string, decode: () => T): T {
  try {
    return decode();
  } catch (error) {
    if (error instanceof Fault) throw error;
    throw new Fault(`it is not a ${format} that can be read (${messageOf(error)})`);
  }
}

export const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error)).slice(0, 200);

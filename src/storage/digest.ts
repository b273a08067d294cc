import { createHash } from 'node:crypto';

/** Tells sets of documents apart by their paths and versions; `documents` come in the order of their paths, bytes compared. */
export function digestOf(documents: Iterable<{ path: string; version: string }>): string {
  const hash = createHash('sha256');
  for (const { path, version } of documents) hash.update(`${path}\0${version}\0`);
  return hash.digest('hex').slice(0, 32);
}

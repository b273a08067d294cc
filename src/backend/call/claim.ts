import { createHash } from 'node:crypto';
import type { About } from './deletions.js';

/** One use of an `Idempotency-Key`. */
export interface Claim {
  readonly userId: string;
  readonly key: string;
  /** A digest of the request. */
  readonly fingerprint: string;
  /** The first answer; null while it is not known. */
  readonly answer: { status: number; body: unknown; etag?: string } | null;
  /** What the answer is about, once it is known: the stored answer is deleted together with it. */
  about?: About;
}

/**
 * The id of an object that a claimed request creates. It is the same for every repetition, so that a request that ran
 * before a crash, with or without an answer, creates the same object when it runs again.
 */
export function claimedId({ userId, key }: Pick<Claim, 'userId' | 'key'>, what: string): string {
  const hex = createHash('sha256')
    .update(JSON.stringify([userId, key, what]))
    .digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

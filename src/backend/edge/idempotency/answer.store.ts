import type { Claim } from '../../call/claim.js';
import type { About, Deletion } from '../../call/deletions.js';

/** Names one use of an `Idempotency-Key`. */
export type ClaimKey = Pick<Claim, 'userId' | 'key' | 'fingerprint'>;

export interface KeptAnswer {
  fingerprint: string;
  /** JSON, {@link GONE}, or null while it is not known. */
  answer: string | null;
}

/** The value that replaces an answer whose subject was deleted. */
export const GONE = 'gone';

/** How long answers are kept. */
export const KEPT_MS = 24 * 60 * 60 * 1000;

/** Keeps the first answer to each `Idempotency-Key` of each user for a day. */
export abstract class AnswerStore {
  /** Writes a claim where the key is new, and returns what is kept of it. */
  abstract claim(claim: ClaimKey, nowMs: number): Promise<KeptAnswer>;
  /**
   * Begins the work on the answer; the claim is written again where it was released meanwhile. False where the answer is
   * known, and where another process works on it.
   */
  abstract take(claim: ClaimKey, nowMs: number): Promise<boolean>;
  abstract complete(claim: ClaimKey, answer: string, about: About | undefined): Promise<void>;
  /** Ends the work without an answer: the key may be used again. */
  abstract release(claim: ClaimKey): Promise<void>;
  /** Replaces answers about a deleted object; of a deleted account all of them are deleted. */
  abstract forget(deletion: Deletion): Promise<void>;
  abstract close(): Promise<void>;
}

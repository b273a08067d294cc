import type { LedgerRow } from '../billing.contract.js';

export interface Balance {
  /** The sum of the ledger. */
  credits: number;
  /** Held for messages that are still being answered. */
  reserved: number;
}

export interface Grant {
  id: string;
  credits: number;
  note?: string | undefined;
}

/**
 * Where the credits are kept. Every row is written once, under a key of its own, and the balance of an account is the
 * sum of its rows: never below zero, however many callers there are at a time. An account comes into being, with the
 * starting credits, at the first call for it.
 */
export abstract class Ledger {
  /** Holds credits for a message once; a message that was captured or released holds nothing any more. `held` is false where there is not enough. */
  abstract reserve(userId: string, messageId: string, credits: number): Promise<Balance & { held: boolean }>;
  /** Takes credits for a message once, at most what there is, and ends its reservation. */
  abstract capture(userId: string, messageId: string, credits: number): Promise<Balance & { charged: number }>;
  abstract release(userId: string, messageId: string): Promise<Balance>;
  /** Adds credits once for each grant id. */
  abstract grant(userId: string, grant: Grant): Promise<Balance & { granted: number }>;
  abstract balance(userId: string): Promise<Balance>;
  /** Newest first. */
  abstract rows(userId: string, limit: number, offset: number): Promise<{ rows: LedgerRow[]; total: number }>;
  abstract close(): Promise<void>;
}

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

export interface LedgerOptions {
  startingCredits: number;
  /** A reservation that was neither captured nor released ends after this time. */
  reservationTtlMs: number;
  /** Milliseconds since 1970. */
  now?: () => number;
}

/**
 * The store of the credits. Every row is written once, under a key of its own, and the balance of an account is the sum
 * of its rows. An account is created, with the starting credits, by the first call for it. Rows are deleted only with their
 * account.
 */
export abstract class Ledger {
  /**
   * Holds credits for a message once. A message that was captured or released holds none any more. `held` is false
   * where the balance is too low.
   */
  abstract reserve(userId: string, messageId: string, credits: number): Promise<Balance & { held: boolean }>;
  /** Takes the full credits for a message once, also below a balance of zero, and ends its reservation. */
  abstract capture(userId: string, messageId: string, credits: number): Promise<Balance & { charged: number }>;
  abstract release(userId: string, messageId: string): Promise<Balance>;
  /** Adds credits once for each grant id. */
  abstract grant(userId: string, grant: Grant): Promise<Balance & { granted: number }>;
  /**
   * Deletes an account with its rows, unless it was closed at this time (UTC, ISO 8601) or later already. A capture for a
   * closed account is dropped; any other call opens it again, without starting credits.
   */
  abstract closeAccount(userId: string, closedAt: string): Promise<void>;
  abstract balance(userId: string): Promise<Balance>;
  /** Newest first. */
  abstract rows(userId: string, limit: number, offset: number): Promise<{ rows: LedgerRow[]; total: number }>;
  abstract close(): Promise<void>;
}

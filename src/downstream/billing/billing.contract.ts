import { z } from 'zod';
import type { ServiceContract } from '../../contract/endpoint.js';

const id = z.string().min(1).max(200);
const credits = z.int().min(0).max(1_000_000_000);

export const ledgerRowSchema = z
  .object({
    id,
    created_at: z.string(),
    kind: z.enum(['grant', 'capture']),
    message_id: id.nullable(),
    /** What the row adds to the balance; negative for a capture. */
    credits: z.int(),
    /** Why credits were granted; absent where no reason was given. */
    note: z.string().optional(),
  })
  .meta({ title: 'LedgerRow' });
export type LedgerRow = z.output<typeof ledgerRowSchema>;

const balanceSchema = z.object({
  /** The sum of the ledger. Below zero where more was used than was paid for, while billing was unavailable. */
  credits: z.int(),
  /** Held for chats that are still running. */
  reserved: z.int().min(0),
});

/**
 * Every call concerns the account of the call's user. An account is created, with its starting credits, by the first
 * call for it.
 */
export const billingContract = {
  /** Holds credits for one message, once however often it is called. 402 `insufficient_credits`. */
  reserve: {
    method: 'POST',
    path: '/reservations',
    body: z.strictObject({ message_id: id, credits }),
    response: balanceSchema,
    idempotent: true,
  },
  /**
   * Charges a message once, whether it was reserved or not (billing may have been unavailable), and ends its
   * reservation. Charges the full amount even where the balance is lower: used credits are owed. `charged` is the
   * amount taken.
   */
  capture: {
    method: 'POST',
    path: '/captures',
    body: z.strictObject({ message_id: id, credits }),
    response: balanceSchema.extend({ charged: credits }),
    idempotent: true,
  },
  release: {
    method: 'POST',
    path: '/releases',
    body: z.strictObject({ message_id: id }),
    response: balanceSchema,
    idempotent: true,
  },
  /**
   * Adds credits to the account of the call's user, once for each `grant_id`. `granted` is the amount added, now or by
   * the first such call.
   */
  grant: {
    method: 'POST',
    path: '/grants',
    body: z.strictObject({ grant_id: id, credits: credits.min(1), note: z.string().max(500).optional() }),
    response: balanceSchema.extend({ granted: credits }),
    idempotent: true,
  },
  /**
   * Deletes the ledger and the reservations of an account until `closed_at`. A charge that arrives for it later is dropped;
   * any other call opens the account again, without starting credits.
   */
  closeAccount: {
    method: 'DELETE',
    path: '/account',
    query: z.strictObject({ closed_at: z.iso.datetime() }),
    response: z.object({ closed: z.literal(true) }),
    idempotent: true,
  },
  balance: { method: 'GET', path: '/balance', response: balanceSchema, idempotent: true },
  /** Newest first. */
  usage: {
    method: 'GET',
    path: '/usage',
    query: z.strictObject({
      limit: z.coerce.number().int().min(1).max(1000).default(100),
      offset: z.coerce.number().int().min(0).default(0),
    }),
    response: z.object({ rows: z.array(ledgerRowSchema), total: z.int() }),
    idempotent: true,
  },
} as const satisfies ServiceContract;

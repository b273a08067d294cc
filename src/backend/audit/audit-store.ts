import { z } from 'zod';

/** One line of the audit log: ids only, no contents, no addresses of persons, no tokens. */
export const auditRecordSchema = z
  .object({
    id: z.string(),
    /** UTC, ISO 8601, with milliseconds. */
    time: z.string(),
    action: z.string(),
    /** The user who acted; null for a refused sign-in. */
    actor: z.string().nullable(),
    /** The API key that was used. */
    key_id: z.string().optional(),
    /** The network address of the client; for IPv6 its /64 prefix. */
    address: z.string(),
    objects: z.record(z.string(), z.union([z.string(), z.number()])),
    request_id: z.string(),
    /** `ok`, or the code of the problem. */
    outcome: z.string(),
  })
  .meta({ title: 'AuditRecord' });
export type AuditRecord = z.output<typeof auditRecordSchema>;

/** Keeps records in the order in which they were written. Records are never changed; whole old ones are removed. */
export abstract class AuditStore {
  /** When it has returned, the record survives a power cut. */
  abstract append(record: AuditRecord): Promise<void>;
  /** From a time on, or else the newest; oldest first. */
  abstract list(since: string | undefined, limit: number): Promise<AuditRecord[]>;
  /** Removes records of days that ended before a time (UTC, ISO 8601). */
  abstract purge(before: string): Promise<void>;
}

import { z } from 'zod';
import { warningSchema } from '../../contract/warning.contract.js';

const stored = {
  path: z.string(),
  version: z.string(),
  bytes: z.int(),
  indexed: z.enum(['done', 'queued']),
  /** Content of the file that the text lacks; absent where no loss is known. */
  warnings: z.array(warningSchema).optional(),
};
export const errorSchema = z.object({ code: z.string(), detail: z.string() }).meta({ title: 'DocumentError' });
export const failedSchema = z.object({ path: z.string(), error: errorSchema }).meta({ title: 'FailedDocument' });
/** An attached e-mail has attachments of its own. */
const attachmentSchema = z.union([z.object({ ...stored, attachments: z.array(z.unknown()).optional() }), failedSchema]);

/** The answer to an upload. */
export const storedSchema = z
  .object({
    ...stored,
    /** The files contained in this one, stored as documents of their own; absent for a format without them. */
    attachments: z.array(attachmentSchema).optional(),
  })
  .meta({ title: 'StoredDocument' });

/** The result for one file of a bulk upload. */
export const bulkItemSchema = z.union([storedSchema, failedSchema]);

/**
 * An entry of a bulk upload that was skipped because it is no user document; a folder ends with a slash and counts its
 * entries.
 */
const skippedSchema = z.object({ path: z.string(), reason: z.string(), entries: z.int() });

export const bulkSchema = z.object({
  documents: z.array(bulkItemSchema),
  stored: z.int(),
  failed: z.int(),
  skipped: z.array(skippedSchema),
});

export const taggedSchema = z
  .object({
    path: z.string(),
    tags: z.array(z.string()),
    /** Whether search finds the document by them already. */
    indexed: z.enum(['done', 'queued']),
  })
  .meta({ title: 'TaggedDocument' });

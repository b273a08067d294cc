import { z } from 'zod';
import { warningSchema } from '../../contract/warning.contract.js';

const stored = {
  path: z.string(),
  version: z.string(),
  bytes: z.int(),
  indexed: z.enum(['done', 'queued']),
  /** What the text does not have of the file; missing where nothing is known to be lost. */
  warnings: z.array(warningSchema).optional(),
};
const failedSchema = z
  .object({ path: z.string(), error: z.object({ code: z.string(), detail: z.string() }) })
  .meta({ title: 'FailedDocument' });
/** An attached e-mail has attachments of its own. */
const attachmentSchema = z.union([z.object({ ...stored, attachments: z.array(z.unknown()).optional() }), failedSchema]);

/** What an upload is answered with. */
export const storedSchema = z
  .object({
    ...stored,
    /** The files that came in this one, as documents of their own; missing for a format that has none. */
    attachments: z.array(attachmentSchema).optional(),
  })
  .meta({ title: 'StoredDocument' });

/** What becomes of one file of a bulk upload. */
export const bulkItemSchema = z.union([storedSchema, failedSchema]);

/** What a bulk upload left out because it is no document of anybody; a folder ends with a slash and counts its entries. */
const skippedSchema = z.object({ path: z.string(), reason: z.string(), entries: z.int() });

export const bulkSchema = z.object({
  documents: z.array(bulkItemSchema),
  stored: z.int(),
  failed: z.int(),
  skipped: z.array(skippedSchema),
});

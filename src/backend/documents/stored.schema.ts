import { z } from 'zod';
import { warningSchema } from '../../contract/warning.contract.js';

/** What an upload is answered with. */
export const storedSchema = z
  .object({
    path: z.string(),
    version: z.string(),
    bytes: z.int(),
    indexed: z.enum(['done', 'queued']),
    /** What the text does not have of the file; missing where nothing is known to be lost. */
    warnings: z.array(warningSchema).optional(),
  })
  .meta({ title: 'StoredDocument' });

/** What becomes of one file of a bulk upload. */
export const bulkItemSchema = z.union([
  storedSchema,
  z.object({ path: z.string(), error: z.object({ code: z.string(), detail: z.string() }) }),
]);

/** What a bulk upload left out because it is no document of anybody; a folder ends with a slash and counts its entries. */
const skippedSchema = z.object({ path: z.string(), reason: z.string(), entries: z.int() });

export const bulkSchema = z.object({
  documents: z.array(bulkItemSchema),
  stored: z.int(),
  failed: z.int(),
  skipped: z.array(skippedSchema),
});

import { z } from 'zod';

/** What an upload is answered with. */
export const storedSchema = z.object({
  path: z.string(),
  version: z.string(),
  bytes: z.int(),
  indexed: z.enum(['done', 'queued']),
});

/** What becomes of one file of a bulk upload. */
export const bulkItemSchema = z.union([
  storedSchema,
  z.object({ path: z.string(), error: z.object({ code: z.string(), detail: z.string() }) }),
]);

export const bulkSchema = z.object({ documents: z.array(bulkItemSchema), stored: z.int(), failed: z.int() });

import { z } from 'zod';

/** What an upload is answered with. */
export const storedSchema = z.object({
  path: z.string(),
  version: z.string(),
  bytes: z.int(),
  indexed: z.enum(['done', 'queued']),
});

import { z } from 'zod';

/** An id in a public path or body. */
export const idSchema = z.string().regex(/^[A-Za-z0-9_-]{1,128}$/, 'an id has 1 to 128 letters, digits, "_" and "-"');

export const pageSchema = z.strictObject({
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  offset: z.coerce.number().int().min(0).max(1_000_000).default(0),
});
export type Page = z.output<typeof pageSchema>;

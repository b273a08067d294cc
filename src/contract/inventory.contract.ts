import { z } from 'zod';

/** What a server has of each project, so that two servers can be compared without their documents. */
export const inventorySchema = z.object({
  projects: z.array(
    z.object({ user_id: z.string(), project_id: z.string(), documents: z.int().min(0), digest: z.string() }),
  ),
  /** What to ask for next; null: there is no more. */
  next: z.string().nullable(),
});
export type Inventory = z.output<typeof inventorySchema>;

export const inventoryQuery = z.strictObject({
  after: z.string().max(500).optional(),
  limit: z.coerce.number().int().min(1).max(500).default(100),
});

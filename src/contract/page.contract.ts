import { z } from 'zod';

/** Where a page, or a slide, begins in the text of a document. */
export const pageStartSchema = z.object({
  /** Counted from 1. */
  page: z.int().min(1),
  /** In UTF-16 code units. */
  start: z.int().min(0),
});
export type PageStart = z.output<typeof pageStartSchema>;

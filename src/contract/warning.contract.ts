import { z } from 'zod';

/** Something of a file that its text does not have, or has only approximately. */
export const warningSchema = z
  .object({
    /** For programs, such as `pages_without_text`. */
    code: z.string(),
    /** For people: what is missing or changed. */
    detail: z.string(),
    count: z.int().optional(),
    /** A share, such as the mean confidence of a text recognition. */
    percent: z.number().optional(),
    /** Where in the file, such as `pages 2-10`. */
    place: z.string().optional(),
  })
  .meta({ title: 'Warning' });
export type Warning = z.output<typeof warningSchema>;

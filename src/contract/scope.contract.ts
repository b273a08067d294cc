import { z } from 'zod';

const list = z.array(z.string().min(1).max(1000)).min(1).max(100);
const date = z
  .string()
  .refine((text) => !Number.isNaN(Date.parse(text)), 'a date is written like 2026-11-25 or 2026-11-25T10:00:00Z');

/** Which documents are searched. A document must meet every field, and one entry of each list. */
export const scopeSchema = z
  .strictObject({
    /** A document, a folder with all that lies below it, or a pattern with `*` for any characters. */
    paths: list.optional(),
    /** The `tags` of a document's front matter, and those that a person set. */
    tags: list.optional(),
    /** Names or addresses of authors, or parts of them, as the document names them: in its front matter, as a mail's sender … */
    author: z
      .union([
        z
          .string()
          .min(1)
          .max(1000)
          .transform((name) => [name]),
        list,
      ])
      .optional(),
    /** Endings of file names, such as `md` or `pdf`, or media types. */
    types: list.optional(),
    /** By the date of the front matter, else by when the text was stored. `before` is excluded, `after` included. */
    before: date.optional(),
    after: date.optional(),
  })
  .meta({ title: 'Scope' });
export type Scope = z.output<typeof scopeSchema>;

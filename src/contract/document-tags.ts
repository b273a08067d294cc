import { z } from 'zod';

/** Of one document. */
const MAX_TAGS = 50;
const MAX_TAG_CHARS = 100;
const CONTROL = /\p{Cc}/u;

/** `#Tax ` and `tax` are one tag, as in front matter. */
const normalised = (tag: string) => tag.normalize('NFC').trim().replace(/^#/, '').toLowerCase();

/** Tags that a person gives to a document, in lower case and without repetitions. */
export const tagsSchema = z
  .array(
    z
      .string()
      .transform(normalised)
      .refine((tag) => tag !== '', 'it is empty; write it like tax or #tax')
      .refine((tag) => [...tag].length <= MAX_TAG_CHARS, `it has more than ${MAX_TAG_CHARS} characters`)
      .refine(
        (tag) => tag.isWellFormed() && !CONTROL.test(tag),
        'it holds a control character or is not valid Unicode',
      ),
  )
  .max(MAX_TAGS, `at most ${MAX_TAGS} tags are taken`)
  .transform((tags) => [...new Set(tags)]);

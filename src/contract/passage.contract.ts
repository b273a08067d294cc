import { z } from 'zod';

/** A piece of a document, as search finds it. */
export const passageSchema = z.object({
  /** The path of the document it is from. */
  document: z.string(),
  /** Which passage of the document it is, counted from 0: the same number for vectors and for full text. */
  chunk: z.int().min(0),
  title: z.string(),
  text: z.string(),
  /** Where it stands in the document's text: UTF-16 code units, `end` excluded. */
  start: z.int().min(0),
  end: z.int().min(0),
  /** Sentences or snippets that match, taken from `text` word for word. */
  highlights: z.array(z.string()),
  /** Higher is better; comparable within one answer only. */
  score: z.number(),
});
export type Passage = z.output<typeof passageSchema>;

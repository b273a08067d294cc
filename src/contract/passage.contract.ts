import { z } from 'zod';

/** Why a passage was found, where `explain` asks for it. */
export const explanationSchema = z
  .object({
    /** The lists that hold it, with its place in each, counted from 1; higher scores are better, within one list only. */
    lists: z.array(
      z
        .object({ list: z.enum(['words', 'meaning']), place: z.int().min(1), score: z.number() })
        .meta({ title: 'Place' }),
    ),
    /** The words of the question that it holds, as they were typed; where one was corrected, the corrected word. */
    words: z.array(z.string()),
    /** Cosine similarity to the question; null where it is not among the nearest, or nothing was compared. */
    meaning: z.number().nullable(),
  })
  .meta({ title: 'Explanation' });
export type Explanation = z.output<typeof explanationSchema>;

/** A word that no passage holds, and the one that was searched for in its place. */
export const correctionSchema = z.object({ from: z.string(), to: z.string() }).meta({ title: 'Correction' });
export type Correction = z.output<typeof correctionSchema>;

/** A piece of a document, as search finds it. */
export const passageSchema = z
  .object({
    /** The path of the document it is from. */
    document: z.string(),
    /** Which passage of the document it is, counted from 0: the same number for vectors and for full text. */
    chunk: z.int().min(0),
    title: z.string(),
    text: z.string(),
    /** Where it stands in the document's text: UTF-16 code units, `end` excluded. */
    start: z.int().min(0),
    end: z.int().min(0),
    /** The page or the slide that it stands on, counted from 1; missing where the document has none. */
    page: z.int().min(1).optional(),
    /** Sentences or snippets that match, taken from `text` word for word. */
    highlights: z.array(z.string()),
    /** Higher is better; comparable within one answer only. */
    score: z.number(),
    explain: explanationSchema.optional(),
  })
  .meta({ title: 'Passage' });
export type Passage = z.output<typeof passageSchema>;

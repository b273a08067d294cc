import { z } from 'zod';

/** A move or a copy of a document, or of a folder where the paths end with `/`. */
export const moveSchema = z.object({
  from: z.string(),
  to: z.string(),
  version: z.string(),
  copy: z.boolean(),
  /** Its documents; absent while the answer of the filesystem server is not known. */
  documents: z.array(z.object({ from: z.string(), to: z.string(), from_version: z.string().optional() })).optional(),
});
export type Move = z.output<typeof moveSchema>;
export type MovedDocument = NonNullable<Move['documents']>[number];

/** The path and version that a document had before its move. */
export const movedFromSchema = z.object({ path: z.string(), version: z.string().optional() });
export type MovedFrom = z.output<typeof movedFromSchema>;

/** The document below `to` that was below `from`, and its path there. */
export const pathBefore = ({ from, to }: Pick<Move, 'from' | 'to'>, path: string) => from + path.slice(to.length);

import { z } from 'zod';

const pathsSchema = z.object({ from: z.string(), to: z.string() });

/** A move or a copy of a document, of a folder where the paths end with `/`, or of several documents (`planned`). */
export const moveSchema = z.object({
  ...pathsSchema.shape,
  version: z.string(),
  copy: z.boolean(),
  /** Its documents; absent while the answer of the filesystem server is not known. */
  documents: z.array(pathsSchema.extend({ from_version: z.string().optional() })).optional(),
  /** The documents of a move of several, some of which may be refused; `from` and `to` are empty then. */
  planned: z.array(pathsSchema).optional(),
});
export type Move = z.output<typeof moveSchema>;
export type MovedDocument = NonNullable<Move['documents']>[number];

/** The path and version that a document had before its move. */
export const movedFromSchema = z.object({ path: z.string(), version: z.string().optional() });
export type MovedFrom = z.output<typeof movedFromSchema>;

/** The document below `to` that was below `from`, and its path there. */
export const pathBefore = ({ from, to }: Pick<Move, 'from' | 'to'>, path: string) => from + path.slice(to.length);

/** Whether a move whose documents may not be known yet concerns a document at `path`, from there or to there. */
export function concerns({ from, to, planned, copy }: Move, path: string): boolean {
  const pairs = planned ?? [{ from, to }];
  const isAt = (place: string) => place === path || (place.endsWith('/') && path.startsWith(place));
  return pairs.some((pair) => isAt(pair.to) || (!copy && isAt(pair.from)));
}

/** Whether it is a move of a folder or of several documents. */
export const isOfSeveral = ({ to, planned }: Pick<Move, 'to' | 'planned'>) => planned !== undefined || to.endsWith('/');

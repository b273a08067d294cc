import type { LexicalIndex, ProjectKey } from '../../../../text/lexical-index.js';

export interface CurrentIndex {
  index: LexicalIndex;
  /** Present while changes of the project are missing in the index, so that it may also hold texts that were deleted. */
  behind?: {
    /** How many documents it lacks, or holds in an earlier state. */
    documents: number;
    /** Those of these documents that still exist. */
    existing: (paths: readonly string[]) => Promise<ReadonlySet<string>>;
  };
}

/** The full-text index of the documents. */
export abstract class FullText {
  /** The index with every change of the project that was acknowledged before the call. */
  abstract current(key: ProjectKey): Promise<CurrentIndex>;

  /** Starts the work in the background. */
  abstract start(): void;

  abstract stop(): Promise<void>;
}

import type { LexicalIndex, ProjectKey } from '../../../../text/lexical-index.js';

export interface CurrentIndex {
  index: LexicalIndex;
  /** How many documents of the project are not in the index yet. */
  notIndexed: number;
}

/** The full-text index of the documents. */
export abstract class FullText {
  /** The index with every change of the project that was acknowledged before the call. */
  abstract current(key: ProjectKey): Promise<CurrentIndex>;

  /** Starts the work in the background. */
  abstract start(): void;

  abstract stop(): Promise<void>;
}

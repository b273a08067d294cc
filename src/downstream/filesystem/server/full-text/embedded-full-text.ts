import type { DatabaseSync } from 'node:sqlite';
import { Logger } from '@nestjs/common';
import { transaction } from '../../../../storage/sqlite.js';
import type { LexicalIndex } from '../../../../text/lexical-index.js';
import { reanalyse } from '../../../../text/reanalysis.js';
import { type CurrentIndex, FullText } from './full-text.js';

/** An index in the database of the documents, in which both change in one transaction. */
export class EmbeddedFullText extends FullText {
  private readonly log = new Logger('Filesystem');
  private stopped = false;

  constructor(
    private readonly db: DatabaseSync,
    private readonly index: LexicalIndex,
  ) {
    super();
  }

  async current(): Promise<CurrentIndex> {
    return { index: this.index };
  }

  /** Until it is done, documents are found by the terms of the earlier analysis. */
  start(): void {
    void this.reanalyse().catch((error: unknown) => {
      if (!this.stopped)
        this.log.error({ err: error }, 'Documents of an earlier version of the analysis stay as they are');
    });
  }

  async stop(): Promise<void> {
    this.stopped = true;
  }

  private async reanalyse(): Promise<void> {
    const documents = await reanalyse(this.index, (key, analysed, isCurrent) => {
      transaction(this.db, () => isCurrent() && this.index.put(key, analysed));
      return Promise.resolve();
    });
    if (documents > 0) this.log.log(`${documents} documents of an earlier version of the analysis were analysed anew`);
  }
}

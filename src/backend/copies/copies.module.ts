import { Inject, Injectable, Module } from '@nestjs/common';
import type { ChromaClient } from '../../downstream/chroma/chroma.client.js';
import { CHROMA_COPIES, type ChromaCopy } from '../../downstream/chroma/chroma.copies.js';
import { ChromaModule } from '../../downstream/chroma/chroma.module.js';
import type { GitClient } from '../../downstream/git/git.client.js';
import { GIT_COPIES, type GitCopy } from '../../downstream/git/git.copies.js';
import { GitModule } from '../../downstream/git/git.module.js';
import { OutboxModule } from '../../outbox/outbox.module.js';
import { Outbox } from '../../outbox/outbox.service.js';
import { Copies } from './copies.js';

/** The topic of the histories of projects that a git server is to take from another one. */
export const HISTORY_FILL = 'history.fill';

/** The chroma servers, each with an index of all documents. */
@Injectable()
export class IndexCopies extends Copies<ChromaClient> {
  constructor(@Inject(CHROMA_COPIES) all: readonly ChromaCopy[], outbox: Outbox) {
    super(all, outbox, 'index');
  }
}

/** The git servers, each with the history of all documents. */
@Injectable()
export class HistoryCopies extends Copies<GitClient> {
  constructor(@Inject(GIT_COPIES) all: readonly GitCopy[], outbox: Outbox) {
    super(all, outbox, 'commit', HISTORY_FILL);
  }
}

@Module({
  imports: [ChromaModule, GitModule, OutboxModule],
  providers: [IndexCopies, HistoryCopies],
  exports: [IndexCopies, HistoryCopies],
})
export class CopiesModule {}

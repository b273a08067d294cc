import type { DatabaseSync } from 'node:sqlite';
import { Logger } from '@nestjs/common';
import type { Config } from '../../../config/config.schema.js';
import { LexicalIndex } from '../../../text/lexical-index.js';
import { SqliteConversationStore } from './conversations/sqlite-conversation-store.js';
import { SqliteTurnStore } from './conversations/sqlite-turn-store.js';
import { SqliteDocumentStore } from './documents/sqlite-document-store.js';
import { databaseFile, filesFolder, openFilesystemDatabase } from './filesystem-database.js';
import { FilesystemStores } from './filesystem-stores.js';
import type { DocumentFiles } from './files/document-files.js';
import { openDocumentFiles } from './files/open-document-files.js';
import { EmbeddedFullText } from './full-text/embedded-full-text.js';
import { KeptRecognised } from './recognition/recognised-documents.js';
import { SqliteProjectStore } from './projects/sqlite-project-store.js';

/** The stores in one SQLite database below the data folder, which only this process uses. */
export class EmbeddedStores extends FilesystemStores {
  readonly db: DatabaseSync;
  readonly projects: SqliteProjectStore;
  readonly documents: SqliteDocumentStore;
  readonly conversations: SqliteConversationStore;
  readonly turns: SqliteTurnStore;
  readonly recognised = new KeptRecognised();
  readonly instance = undefined;
  private readonly log = new Logger('Filesystem');
  private readonly index: LexicalIndex;

  /** @param folder the filesystem server's part of the data folder */
  constructor(
    private readonly folder: string,
    quotas: Config['quotas'],
  ) {
    super();
    this.db = openFilesystemDatabase(databaseFile(folder), filesFolder(folder));
    this.index = new LexicalIndex(this.db);
    this.projects = new SqliteProjectStore(this.db, this.index, quotas);
    this.documents = new SqliteDocumentStore(this.db, this.index, quotas);
    this.conversations = new SqliteConversationStore(this.db);
    this.turns = new SqliteTurnStore(this.db);
  }

  openFiles(config: Config): Promise<DocumentFiles> {
    return openDocumentFiles(this.folder, config);
  }

  fullText(): EmbeddedFullText {
    return new EmbeddedFullText(this.db, this.index);
  }

  async sweep(files: DocumentFiles): Promise<void> {
    const { removed, missing } = await files.sweep(this.documents.files());
    if (removed > 0) this.log.warn(`removed ${removed} files that an interrupted write or deletion left behind`);
    for (const path of missing) this.log.error(`${path} is missing: its document can't be read`);
  }

  async close(): Promise<void> {
    this.db.close();
  }
}

import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Logger, Module, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { CONFIG, ConfigModule } from '../../../config/config.module.js';
import type { Config } from '../../../config/config.schema.js';
import { InternalServerModule } from '../../../http/http.module.js';
import { LexicalIndex } from '../../../text/lexical-index.js';
import { reanalyse } from '../../../text/reanalysis.js';
import { TurnStore } from './conversations/turn-store.js';
import { ConversationStore } from './conversations/conversation-store.js';
import { ConversationsController } from './conversations/conversations.controller.js';
import { ConversationsService } from './conversations/conversations.service.js';
import { DocumentFiles } from './files/document-files.js';
import { openDocumentFiles } from './files/open-document-files.js';
import { BackgroundRecognition } from './documents/background-recognition.js';
import { DocumentStore } from './documents/document-store.js';
import { UploadReader } from './documents/document-upload.js';
import { DocumentWriter } from './documents/document-writer.js';
import { DocumentsController } from './documents/documents.controller.js';
import { OriginalsService } from './documents/originals.service.js';
import { DocumentsService } from './documents/documents.service.js';
import { databaseFile, filesFolder, openFilesystemDatabase } from './filesystem-database.js';
import { ProjectStore } from './projects/project-store.js';
import { ProjectInventory } from '../../../storage/inventory.js';
import { ProjectsController } from './projects/projects.controller.js';
import { ProjectsService } from './projects/projects.service.js';
import { requireLanguages } from './extraction/recognition/installed-languages.js';
import { Recogniser } from './extraction/recognition/recogniser.js';
import { TextExtractor } from './extraction/text-extractor.js';
import { RecognisedDocuments } from './recognition/recognised-documents.js';
import { RecognitionController } from './recognition/recognition.controller.js';
import { RecognitionService } from './recognition/recognition.service.js';

const folder = (config: Config) => join(config.data_dir, 'filesystem');

const stores = [
  {
    provide: DatabaseSync,
    inject: [CONFIG],
    useFactory: (config: Config) => openFilesystemDatabase(databaseFile(folder(config)), filesFolder(folder(config))),
  },
  {
    provide: DocumentFiles,
    // The database first: it refuses to start where it is missing and there are files.
    inject: [CONFIG, DatabaseSync],
    useFactory: (config: Config) => openDocumentFiles(folder(config), config),
  },
  { provide: LexicalIndex, inject: [DatabaseSync], useFactory: (db: DatabaseSync) => new LexicalIndex(db) },
  {
    provide: ProjectStore,
    inject: [DatabaseSync, LexicalIndex, CONFIG],
    useFactory: (db: DatabaseSync, index: LexicalIndex, { quotas }: Config) => new ProjectStore(db, index, quotas),
  },
  {
    provide: DocumentStore,
    inject: [DatabaseSync, LexicalIndex, CONFIG],
    useFactory: (db: DatabaseSync, index: LexicalIndex, { quotas }: Config) => new DocumentStore(db, index, quotas),
  },
  { provide: TurnStore, inject: [DatabaseSync], useFactory: (db: DatabaseSync) => new TurnStore(db) },
  { provide: ConversationStore, inject: [DatabaseSync], useFactory: (db: DatabaseSync) => new ConversationStore(db) },
];

const extractor = {
  provide: TextExtractor,
  inject: [CONFIG],
  useFactory: ({ filesystem, http }: Config) =>
    new TextExtractor({
      timeoutMs: filesystem.extraction.timeout_ms,
      maxMemoryBytes: filesystem.extraction.max_memory_bytes,
      maxTextBytes: http.max_body_bytes,
      recognition: filesystem.ocr.enabled,
    }),
};

const recogniser = {
  provide: Recogniser,
  inject: [CONFIG],
  useFactory: ({ filesystem: { ocr } }: Config) => {
    if (ocr.enabled) requireLanguages(ocr.languages);
    return new Recogniser({
      languages: ocr.languages,
      pageTimeoutMs: ocr.page_timeout_ms,
      maxMemoryBytes: ocr.max_memory_bytes,
    });
  },
};

@Module({
  imports: [InternalServerModule, ConfigModule],
  controllers: [ProjectsController, DocumentsController, RecognitionController, ConversationsController],
  providers: [
    ProjectsService,
    DocumentsService,
    OriginalsService,
    BackgroundRecognition,
    DocumentWriter,
    UploadReader,
    ConversationsService,
    extractor,
    recogniser,
    RecognisedDocuments,
    RecognitionService,
    ...stores,
    {
      provide: ProjectInventory,
      inject: [DatabaseSync],
      useFactory: (db: DatabaseSync) => new ProjectInventory(db, 'document'),
    },
  ],
})
export class FilesystemServerModule implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly log = new Logger('Filesystem');
  private stopped = false;

  constructor(
    private readonly db: DatabaseSync,
    private readonly files: DocumentFiles,
    private readonly documents: DocumentStore,
    private readonly index: LexicalIndex,
  ) {}

  /** Cleans up after a crash, before the first request. */
  async onApplicationBootstrap(): Promise<void> {
    const { removed, missing } = await this.files.sweep(this.documents.files());
    if (removed > 0) this.log.warn(`removed ${removed} files that an interrupted write or deletion left behind`);
    for (const path of missing) this.log.error(`${path} is missing: its document can't be read`);
    // In the background: until it is done, documents are found by the terms of the earlier analysis.
    void this.reanalyse().catch((error: unknown) => {
      if (!this.stopped)
        this.log.error({ err: error }, 'Documents of an earlier version of the analysis stay as they are');
    });
  }

  private async reanalyse(): Promise<void> {
    const documents = await reanalyse(this.index, (key, analysed, isCurrent) => {
      this.documents.atomically(() => isCurrent() && this.index.put(key, analysed));
      return Promise.resolve();
    });
    if (documents > 0) this.log.log(`${documents} documents of an earlier version of the analysis were analysed anew`);
  }

  onApplicationShutdown(): void {
    this.stopped = true;
    this.files.close();
    this.db.close();
  }
}

import { join } from 'node:path';
import { Module, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { CONFIG, ConfigModule } from '../../../config/config.module.js';
import type { Config } from '../../../config/config.schema.js';
import { HEADER } from '../../../contract/endpoint.js';
import { DATABASE, DatabaseModule } from '../../../http/database.module.js';
import { InternalServerModule } from '../../../http/http.module.js';
import type { Postgres } from '../../../storage/postgres/postgres.js';
import { TurnStore } from './conversations/turn-store.js';
import { ConversationStore } from './conversations/conversation-store.js';
import { ConversationsController } from './conversations/conversations.controller.js';
import { ConversationsService } from './conversations/conversations.service.js';
import { DocumentFiles } from './files/document-files.js';
import { BackgroundRecognition } from './documents/background-recognition.js';
import { DocumentStore } from './documents/document-store.js';
import { UploadReader } from './documents/document-upload.js';
import { DocumentMover } from './documents/document-mover.js';
import { DocumentBatchWriter } from './documents/document-batch-writer.js';
import { DocumentWriter } from './documents/document-writer.js';
import { RecentTexts } from './documents/recent-texts.js';
import { DocumentsController } from './documents/documents.controller.js';
import { OriginalsService } from './documents/originals.service.js';
import { DocumentsService } from './documents/documents.service.js';
import { EmbeddedStores } from './embedded-stores.js';
import { FilesystemStores } from './filesystem-stores.js';
import { FullText } from './full-text/full-text.js';
import { FILESYSTEM_PART } from './postgres-database.js';
import { PostgresStores } from './postgres-stores.js';
import { ProjectStore } from './projects/project-store.js';
import { ProjectsController } from './projects/projects.controller.js';
import { ProjectsService } from './projects/projects.service.js';
import { requireLanguages } from './extraction/recognition/installed-languages.js';
import { Recogniser } from './extraction/recognition/recogniser.js';
import { TextExtractor } from './extraction/text-extractor.js';
import { RecognisedDocuments } from './recognition/recognised-documents.js';
import { RecognitionController } from './recognition/recognition.controller.js';
import { RecognitionService } from './recognition/recognition.service.js';
import { TrashController } from './trash/trash.controller.js';
import { TrashImport } from './trash/trash-import.service.js';
import { TrashService } from './trash/trash.service.js';

const stores = [
  {
    provide: FilesystemStores,
    inject: [CONFIG, DATABASE],
    useFactory: ({ data_dir, quotas }: Config, database: Postgres | null): FilesystemStores => {
      const folder = join(data_dir, 'filesystem');
      return database === null ? new EmbeddedStores(folder, quotas) : new PostgresStores(database, folder, quotas);
    },
  },
  {
    provide: DocumentFiles,
    // The stores first: they refuse to start where they do not belong to the files.
    inject: [CONFIG, FilesystemStores],
    useFactory: (config: Config, opened: FilesystemStores) => opened.openFiles(config),
  },
  {
    provide: FullText,
    inject: [FilesystemStores, DocumentFiles],
    useFactory: (opened: FilesystemStores, files: DocumentFiles) => opened.fullText(files),
  },
  storeOf(ProjectStore, ({ projects }) => projects),
  storeOf(DocumentStore, ({ documents }) => documents),
  storeOf(ConversationStore, ({ conversations }) => conversations),
  storeOf(TurnStore, ({ turns }) => turns),
  storeOf(RecognisedDocuments, ({ recognised }) => recognised),
];

function storeOf<T>(provide: abstract new () => T, useFactory: (opened: FilesystemStores) => T) {
  return { provide, inject: [FilesystemStores], useFactory };
}

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
  imports: [InternalServerModule, ConfigModule, DatabaseModule.of(FILESYSTEM_PART)],
  controllers: [
    ProjectsController,
    DocumentsController,
    TrashController,
    RecognitionController,
    ConversationsController,
  ],
  providers: [
    ProjectsService,
    DocumentsService,
    OriginalsService,
    BackgroundRecognition,
    DocumentWriter,
    RecentTexts,
    DocumentBatchWriter,
    DocumentMover,
    TrashImport,
    TrashService,
    UploadReader,
    ConversationsService,
    extractor,
    recogniser,
    RecognitionService,
    ...stores,
  ],
})
export class FilesystemServerModule implements OnApplicationBootstrap, OnApplicationShutdown {
  constructor(
    private readonly stores: FilesystemStores,
    private readonly files: DocumentFiles,
    private readonly fullText: FullText,
  ) {}

  /** A caller that is answered by another process on the same database must not take it for a store that was lost. */
  static async configure(app: NestFastifyApplication): Promise<void> {
    const stores = app.get(FilesystemStores);
    app
      .getHttpAdapter()
      .getInstance()
      .addHook('onRequest', (_request, reply, done) => {
        if (stores.instance !== undefined) reply.header(HEADER.instance, stores.instance);
        done();
      });
  }

  async onApplicationBootstrap(): Promise<void> {
    await this.stores.sweep(this.files);
    this.fullText.start();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.fullText.stop();
    this.files.close();
    await this.stores.close();
  }
}

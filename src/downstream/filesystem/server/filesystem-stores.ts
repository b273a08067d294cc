import type { Config } from '../../../config/config.schema.js';
import type { ConversationStore } from './conversations/conversation-store.js';
import type { TurnStore } from './conversations/turn-store.js';
import type { DocumentStore } from './documents/document-store.js';
import type { DocumentFiles } from './files/document-files.js';
import type { FullText } from './full-text/full-text.js';
import type { RecognisedDocuments } from './recognition/recognised-documents.js';
import type { ProjectStore } from './projects/project-store.js';

/** What the filesystem server keeps apart from the contents of the documents. */
export abstract class FilesystemStores {
  abstract readonly projects: ProjectStore;
  abstract readonly documents: DocumentStore;
  abstract readonly conversations: ConversationStore;
  abstract readonly turns: TurnStore;
  abstract readonly recognised: RecognisedDocuments;

  /**
   * An id that changes where the stores may have lost something; undefined: it is that of the process. Several processes on
   * one database have the same one.
   */
  abstract readonly instance: string | undefined;

  /** Opens the store of the contents that belong to these stores. */
  abstract openFiles(config: Config): Promise<DocumentFiles>;

  abstract fullText(files: DocumentFiles): FullText;

  /** Removes the contents that no row names, now or in the background. Must be called before the first request. */
  abstract sweep(files: DocumentFiles): Promise<void>;

  abstract close(): Promise<void>;
}

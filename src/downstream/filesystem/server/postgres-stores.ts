import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { Logger } from '@nestjs/common';
import type { Config } from '../../../config/config.schema.js';
import { StartError } from '../../../config/start-error.js';
import type { Postgres } from '../../../storage/postgres/postgres.js';
import { PostgresConversationStore } from './conversations/postgres-conversation-store.js';
import { PostgresTurnStore } from './conversations/postgres-turn-store.js';
import { PostgresDocumentStore } from './documents/postgres-document-store.js';
import { FilesystemStores } from './filesystem-stores.js';
import type { DocumentFiles } from './files/document-files.js';
import { DiskDocumentFiles } from './files/disk-document-files.js';
import { openS3 } from './files/open-document-files.js';
import { claimFolder, type FolderClaim, sharedFolder } from './files/shared-folder.js';
import { Changes } from './full-text/changes.js';
import { DocumentFeed } from './full-text/document-feed.js';
import { FollowingFullText } from './full-text/following-full-text.js';
import { LocalIndex } from './full-text/local-index.js';
import { ProjectFollower } from './full-text/project-follower.js';
import { PostgresDatabase } from './postgres-database.js';
import { PostgresRecognised } from './recognition/postgres-recognised.js';
import { PostgresProjectStore } from './projects/postgres-project-store.js';

/** A content without a row may be that of a change under way; no change takes longer. */
const MIN_AGE_MS = 3_600_000;
const SWEEP_EVERY_MS = 3_600_000;
const CHECK_EVERY_MS = 600_000;

/** The stores in a PostgreSQL database, which several processes use, with a full-text index of this process. */
export class PostgresStores extends FilesystemStores {
  readonly projects: PostgresProjectStore;
  readonly documents: PostgresDocumentStore;
  readonly conversations: PostgresConversationStore;
  readonly turns: PostgresTurnStore;
  readonly recognised: PostgresRecognised;
  private readonly log = new Logger('Filesystem');
  private readonly changes = new Changes();
  private readonly database: PostgresDatabase;
  private readonly feed: DocumentFeed;
  private timer: NodeJS.Timeout | undefined;
  private sweeping: Promise<void> = Promise.resolve();

  /** @param folder the filesystem server's part of the data folder */
  constructor(
    postgres: Postgres,
    private readonly folder: string,
    quotas: Config['quotas'],
  ) {
    super();
    this.database = new PostgresDatabase(postgres);
    this.feed = new DocumentFeed(this.database);
    this.projects = new PostgresProjectStore(this.database, quotas, (key) => this.changes.changed(key));
    this.documents = new PostgresDocumentStore(this.database, quotas, this.changes);
    this.conversations = new PostgresConversationStore(this.database);
    this.turns = new PostgresTurnStore(this.database);
    this.recognised = new PostgresRecognised(this.database);
  }

  get instance(): string {
    return createHash('sha256').update(this.feed.incarnation).digest('hex').slice(0, 32);
  }

  async openFiles(config: Config): Promise<DocumentFiles> {
    await this.feed.clock();
    const [installation] = await this.database.read<{ id: string; copying: boolean }>(
      'SELECT id, copying FROM installation',
    );
    if (installation?.copying === true) {
      throw new StartError('DATABASE_URL: migrate-data has not finished copying into this database; repeat it');
    }
    if (config.storage.documents === 's3') {
      return openS3(this.folder, config, installation?.id);
    }
    const folder = sharedFolder(this.folder, config);
    await claimFolder(folder, folderClaim(this.database));
    return new DiskDocumentFiles(folder);
  }

  fullText(files: DocumentFiles): FollowingFullText {
    const local = new LocalIndex(join(this.folder, 'index.sqlite'));
    const follower = new ProjectFollower(this.feed, local, files, this.changes);
    return new FollowingFullText(this.feed, local, follower, this.changes);
  }

  /** In the background and again every hour, by one of the processes. */
  async sweep(files: DocumentFiles): Promise<void> {
    const next = () => {
      this.sweeping = this.sweepInTurn(files).catch((error: Error) =>
        this.log.warn(`Files that are not needed stay for now: ${error.message}`),
      );
    };
    this.timer = setInterval(next, CHECK_EVERY_MS).unref();
    next();
  }

  async close(): Promise<void> {
    clearInterval(this.timer);
    await this.sweeping;
  }

  private async sweepInTurn(files: DocumentFiles): Promise<void> {
    const turns = await this.database.write(
      `UPDATE installation SET swept_at = clock_timestamp()
         WHERE swept_at < clock_timestamp() - $1 * interval '1 millisecond'`,
      [SWEEP_EVERY_MS],
    );
    if (turns === 0) return;
    const { removed, missing } = await files.sweep(this.documents.files(), MIN_AGE_MS);
    if (removed > 0) this.log.warn(`removed ${removed} files that an interrupted write or deletion left behind`);
    // A document may have been replaced since its row was read.
    const names = missing.map((place) => place.slice(place.lastIndexOf('/') + 1));
    const named = names.length === 0 ? new Set<string>() : await this.documents.named(names);
    for (const [i, place] of missing.entries()) {
      if (named.has(names[i] as string)) this.log.error(`${place} is missing: its document can't be read`);
    }
  }
}

export function folderClaim(database: PostgresDatabase): FolderClaim {
  return {
    async current() {
      const [row] = await database.read<{ folder: string | null }>('SELECT folder FROM installation');
      return row?.folder ?? null;
    },
    async claim(id) {
      await database.write('UPDATE installation SET folder = $1 WHERE folder IS NULL', [id]);
    },
  };
}

import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import pLimit from 'p-limit';
import { InjectConfig } from '../../../../config/config.module.js';
import type { Config } from '../../../../config/config.schema.js';
import { uploadVersion } from '../../../../contract/extraction-version.js';
import type { PageStart } from '../../../../contract/page.contract.js';
import { notFound, Problem } from '../../../../http/problem.js';
import { analyseDocument } from '../../../../text/analysed-document.js';
import type { ProjectKey } from '../../../../text/lexical-index.js';
import type { Trashed } from '../../filesystem.contract.js';
import { BackgroundRecognition } from '../documents/background-recognition.js';
import { checkPath, readDocument } from '../documents/document-reading.js';
import { type DocumentRow, filesOf, infoOf, originalOf, type TrashRow } from '../documents/document-row.js';
import { type Refused, refusal, refusedAt } from '../documents/refusal.js';
import { trashKeptMs } from '../documents/trash-settings.js';
import { ChangedMeanwhile, DocumentStore, type TrashedWhich } from '../documents/document-store.js';
import { pendingPages } from '../extraction/recognition/recognised-text.js';
import { DocumentFiles } from '../files/document-files.js';
import { ProjectsService } from '../projects/projects.service.js';
import { requireThere } from '../projects/project-state.js';

const RESTORED_TOGETHER = 8;
/** How often documents whose time in the trash is over are looked for. */
const EXPIRE_EVERY_MS = 3_600_000;

export interface RestoreRequest {
  /** The version that the restored document gets. */
  version: string;
  /** The version of the document in the trash; by default that of the one deleted last. */
  trashed_version?: string | undefined;
  /** When the request arrived, in ms since 1970. */
  arrived_ms?: number | undefined;
}

/** Deleted documents that can be restored for some days, with their originals. */
@Injectable()
export class TrashService implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly log = new Logger('Trash');
  private timer: NodeJS.Timeout | undefined;
  private expiring: Promise<void> = Promise.resolve();

  constructor(
    @InjectConfig() private readonly config: Config,
    private readonly projects: ProjectsService,
    private readonly documents: DocumentStore,
    private readonly files: DocumentFiles,
    private readonly recognition: BackgroundRecognition,
  ) {}

  onApplicationBootstrap(): void {
    const next = () => {
      this.expiring = this.expire(new Date()).catch((error: Error) =>
        this.log.warn(`Expired documents stay in the trash for now: ${error.message}`),
      );
    };
    this.timer = setInterval(next, EXPIRE_EVERY_MS).unref();
    next();
  }

  async onApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    await this.expiring;
  }

  async list(key: ProjectKey, limit: number, offset: number): Promise<{ documents: Trashed[]; total: number }> {
    await this.projects.requireReadable(key);
    const { rows, total } = await this.documents.trash(key, limit, offset);
    return { documents: rows.map((row) => this.trashed(row)), total };
  }

  /** @throws Problem 404 */
  async get(key: ProjectKey, path: string, version: string) {
    await this.projects.requireReadable(key);
    checkPath(path);
    const row = await this.documents.findTrashed(key, path, version);
    if (row === undefined) throw notInTrash(path, version);
    const text = (await readDocument(path, () => this.files.read(key, row))).toString();
    const stored = originalOf(row);
    const document = { ...this.trashed(row), text };
    if (stored === undefined) return document;
    const original = await readDocument(path, () => this.files.read(key, stored));
    const media_type = row.original_type ?? row.media_type;
    return { ...document, original: { media_type, content_base64: original.toString('base64') } };
  }

  /** @throws the problems that the contract names */
  async restore(key: ProjectKey, path: string, request: RestoreRequest): Promise<DocumentRow> {
    await this.projects.requireWritable(key);
    checkPath(path);
    const current = await this.documents.find(key, path);
    // An earlier call with this version did the work.
    if (current !== undefined && isRestored(current, request)) return current;
    const trashed = await this.documents.findTrashed(key, path, request.trashed_version);
    if (trashed === undefined) throw notInTrash(path, request.trashed_version);
    const text = (await readDocument(path, () => this.files.read(key, trashed))).toString();
    const { deleted_at: _, ...before } = trashed;
    const { title, media_type: mediaType } = before;
    const pages = before.pages === null ? [] : (JSON.parse(before.pages) as PageStart[]);
    const analysed = await analyseDocument({ path, title, text, mediaType, pages });
    const { version, arrived_ms = Date.now() } = request;
    const restored = { ...before, version, first_version: version, arrived_ms, updated_at: new Date().toISOString() };
    const { result, stored } = await this.documents
      .change(key, path, ({ project, document }) => {
        requireThere(key.projectId, project);
        if (document === undefined)
          return { result: restored, document: { row: restored, analysed, fromTrash: trashed } };
        if (isRestored(document, request)) return { result: document };
        throw pathTaken(path);
      })
      .catch((error: unknown) => {
        throw error instanceof ChangedMeanwhile ? notInTrash(path, request.trashed_version) : error;
      });
    if (stored && pendingPages(infoOf(result).warnings ?? []).isPending) this.recognition.waits(key, result);
    return result;
  }

  /** {@link restore} of several documents, with the answers in their order. One that is refused does not stop the others. */
  async restoreAll(
    key: ProjectKey,
    documents: readonly (Omit<RestoreRequest, 'arrived_ms'> & { path: string })[],
    arrived_ms?: number,
  ): Promise<(DocumentRow | Refused)[]> {
    await this.projects.requireWritable(key);
    // Those that are stored at the same time share a transaction.
    return pLimit(RESTORED_TOGETHER).map(documents, ({ path, ...request }) =>
      this.restore(key, path, { ...request, arrived_ms }).catch((error: unknown) => refusedAt(path, refusal(error))),
    );
  }

  /** @returns how many documents were removed for good */
  async remove(key: ProjectKey, which: readonly TrashedWhich[]): Promise<number> {
    await this.projects.requireReadable(key);
    const rows = await this.documents.removeTrashed(key, which);
    await this.files.remove(key, rows.flatMap(filesOf));
    return rows.length;
  }

  private async expire(now: Date): Promise<void> {
    const expired = await this.documents.expireTrash(new Date(now.getTime() - this.keptMs).toISOString());
    // After a crash before this, the next sweep removes the files, because no row names them.
    for (const { key, row } of expired) await this.files.remove(key, filesOf(row));
    if (expired.length > 0) this.log.log(`removed ${expired.length} documents whose time in the trash is over`);
  }

  private trashed(row: TrashRow): Trashed {
    const { deleted_at } = row;
    const expires_at = new Date(Date.parse(deleted_at) + this.keptMs).toISOString();
    return { ...infoOf(row), deleted_at, expires_at };
  }

  private get keptMs(): number {
    return trashKeptMs(this.config);
  }
}

const isRestored = ({ version }: DocumentRow, request: RestoreRequest) => uploadVersion(version) === request.version;

function notInTrash(path: string, version: string | undefined): Problem {
  const which = version === undefined ? '' : ` with the version ${JSON.stringify(version)}`;
  return notFound(`path: there is no document ${JSON.stringify(path)}${which} in the trash of this project.`);
}

function pathTaken(path: string): Problem {
  return new Problem({
    status: 409,
    code: 'path_taken',
    detail: `path: there is a document at ${JSON.stringify(path)} already; move or delete it first. Nothing was changed.`,
  });
}

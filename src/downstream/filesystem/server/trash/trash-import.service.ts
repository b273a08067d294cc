import { Injectable } from '@nestjs/common';
import { InjectConfig } from '../../../../config/config.module.js';
import type { Config } from '../../../../config/config.schema.js';
import { Problem } from '../../../../http/problem.js';
import { StorageUnavailable } from '../../../../storage/storage-errors.js';
import type { ProjectKey } from '../../../../text/lexical-index.js';
import { titleOf } from '../../../../text/title.js';
import { checkPath } from '../documents/document-reading.js';
import type { TrashRow } from '../documents/document-row.js';
import { DocumentStore } from '../documents/document-store.js';
import { UploadReader } from '../documents/document-upload.js';
import { trashKeptMs, trashOff } from '../documents/trash-settings.js';
import { rowOf, type WriteRequest } from '../documents/write-decision.js';
import { UnreadableDocument } from '../extraction/text-extractor.js';
import { DocumentFiles, type StoredFile } from '../files/document-files.js';
import { ProjectsService } from '../projects/projects.service.js';

/** Puts documents of another installation or account into the trash. */
@Injectable()
export class TrashImport {
  constructor(
    @InjectConfig() private readonly config: Config,
    private readonly projects: ProjectsService,
    private readonly documents: DocumentStore,
    private readonly files: DocumentFiles,
    private readonly uploads: UploadReader,
  ) {}

  /**
   * @returns false where the trash has this version of the document
   * @throws the problems that the contract names
   */
  async bring(key: ProjectKey, path: string, request: WriteRequest & { deleted_at: string }): Promise<boolean> {
    const keptMs = trashKeptMs(this.config);
    if (keptMs === 0) throw trashOff('restore the document where it is, and import it as a document');
    await this.projects.requireWritable(key);
    checkPath(path);
    if ((await this.documents.findTrashed(key, path, request.version)) !== undefined) return false;
    const upload = await this.uploads.read(request, key.userId).catch((error: unknown) => {
      throw error instanceof UnreadableDocument ? unreadable(path, error) : error;
    });
    const { content, original, text, media_type } = upload;
    const written = await this.files.writeAll(key, original === undefined ? [content] : [content, original]);
    const [stored, kept] = written as [StoredFile, StoredFile?];
    const row = rowOf(undefined, path, titleOf(path, text, media_type), { ...request, ...upload }, stored, kept);
    const isOver = Date.parse(request.deleted_at) < Date.now() - keptMs;
    const deleted_at = isOver ? row.updated_at : new Date(request.deleted_at).toISOString();
    return this.add(key, { ...row, deleted_at }, written);
  }

  private async add(key: ProjectKey, row: TrashRow, written: readonly StoredFile[]): Promise<boolean> {
    let isNamed = false;
    try {
      return (isNamed = await this.documents.addTrashed(key, row));
    } catch (error) {
      // The connection may have been lost during the commit: then the row may name these files. If not, the sweep removes them.
      isNamed = error instanceof StorageUnavailable;
      throw error;
    } finally {
      if (!isNamed) {
        await this.files.remove(
          key,
          written.map(({ file }) => file),
        );
      }
    }
  }
}

function unreadable(path: string, { message }: UnreadableDocument): Problem {
  const detail = `No text can be taken from ${path}: ${message}. It was not put into the trash.`;
  return new Problem({ status: 422, code: 'unreadable_document', detail });
}

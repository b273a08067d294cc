import { Injectable } from '@nestjs/common';
import pLimit from 'p-limit';
import type { z } from 'zod';
import { InjectConfig } from '../../config/config.module.js';
import type { Config } from '../../config/config.schema.js';
import { pathFault } from '../../contract/document-path.js';
import { badRequest } from '../../http/problem.js';
import { toProblem } from '../../http/problem.filter.js';
import type { UserCall } from '../call/public-call.js';
import { Attachments } from './attachments.service.js';
import type { bulkItemSchema } from './stored.schema.js';
import { uploadOf } from './upload.js';

const PARALLEL = 6;

/** A file of a bulk upload; `mediaType` where the sender named one. */
export interface BulkFile {
  path: string;
  mediaType?: string | undefined;
  bytes(): Promise<Buffer>;
}
export type BulkItem = z.output<typeof bulkItemSchema>;

/** Stores many documents, each like a single upload: one that cannot be stored does not stop the others. */
@Injectable()
export class BulkUpload {
  constructor(
    @InjectConfig() private readonly config: Config,
    private readonly documents: Attachments,
  ) {}

  /**
   * Calls `stored` once for each file with its position in `files`, in the order of completion; stops when the caller
   * disconnects. Of several files with one path the first is stored, and the others fail.
   */
  async store(
    projectId: string,
    files: readonly BulkFile[],
    call: UserCall,
    stored: (item: BulkItem, place: number) => void,
  ): Promise<void> {
    const firstPlaces = new Map<string, number>();
    files.forEach(({ path }, place) => firstPlaces.has(path) || firstPlaces.set(path, place));
    await pLimit(PARALLEL).map(files, async (file, place) => {
      if (call.signal.aborted) return;
      const firstPlace = firstPlaces.get(file.path) as number;
      const item =
        firstPlace === place ? await this.storeOne(projectId, file, call) : samePath(file.path, firstPlace, place);
      stored(item, place);
    });
  }

  private async storeOne(projectId: string, file: BulkFile, call: UserCall): Promise<BulkItem> {
    const { path, mediaType } = file;
    try {
      const fault = pathFault(path);
      if (fault !== undefined) throw badRequest('invalid_path', `path: ${fault}`);
      const upload = uploadOf(path, mediaType, await file.bytes());
      const deadlineMs = performance.now() + this.config.deadlines.upload_ms;
      return (await this.documents.put(projectId, path, upload, undefined, { ...call, deadlineMs })).document;
    } catch (error) {
      const { code, detail } = toProblem(error);
      return { path, error: { code, detail } };
    }
  }
}

/** The error for a second file with the same path, because it would silently replace the first. */
function samePath(path: string, firstPlace: number, place: number): BulkItem {
  const detail = `path: file ${place + 1} of this upload has the same path as file ${firstPlace + 1}, ${JSON.stringify(path)}; only file ${firstPlace + 1} was taken. Rename one of them and send it again.`;
  return { path, error: { code: 'duplicate_path', detail } };
}

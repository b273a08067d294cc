import { Injectable } from '@nestjs/common';
import type { z } from 'zod';
import { InjectConfig } from '../../config/config.module.js';
import type { Config } from '../../config/config.schema.js';
import { pathFault } from '../../contract/document-path.js';
import { badRequest } from '../../http/problem.js';
import { toProblem } from '../../http/problem.filter.js';
import type { UserCall } from '../call/public-call.js';
import { DocumentsService } from './documents.service.js';
import type { bulkItemSchema } from './stored.schema.js';
import { uploadOf } from './upload.js';

const PARALLEL = 6;

/** A file of a bulk upload; `mediaType` where its sender named one. */
export interface BulkFile {
  path: string;
  mediaType?: string | undefined;
  bytes(): Promise<Buffer>;
}
export type BulkItem = z.output<typeof bulkItemSchema>;

/** Stores many documents, each as if it had come alone: one that can't be stored does not stop the others. */
@Injectable()
export class BulkUpload {
  constructor(
    @InjectConfig() private readonly config: Config,
    private readonly documents: DocumentsService,
  ) {}

  /** Calls `stored` once for each file, in the order in which they get done; stops when the caller goes away. */
  async store(
    projectId: string,
    files: readonly BulkFile[],
    call: UserCall,
    stored: (item: BulkItem) => void,
  ): Promise<void> {
    const queue = files.values();
    const work = async () => {
      for (const file of queue) {
        if (call.signal.aborted) return;
        stored(await this.storeOne(projectId, file, call));
      }
    };
    await Promise.all(Array.from({ length: PARALLEL }, work));
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

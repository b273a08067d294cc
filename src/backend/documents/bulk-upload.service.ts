import { Injectable } from '@nestjs/common';
import type { z } from 'zod';
import { InjectConfig } from '../../config/config.module.js';
import type { Config } from '../../config/config.schema.js';
import { pathFault } from '../../contract/document-path.js';
import { MAX_BATCH_DOCUMENTS } from '../../downstream/filesystem/filesystem.contract.js';
import { badRequest } from '../../http/problem.js';
import { toProblem } from '../../http/problem.filter.js';
import type { UserCall } from '../call/public-call.js';
import { Attachments } from './attachments.service.js';
import { DocumentsService, type TextUpload } from './documents.service.js';
import type { bulkItemSchema } from './stored.schema.js';
import { type Upload, uploadOf } from './upload.js';

const PARALLEL = 6;
/** Texts that are stored in one call. A larger text is stored alone, so that it delays no other one. */
const BATCH = { documents: MAX_BATCH_DOCUMENTS, chars: 1_000_000, charsOfEach: 100_000 };

/** A file of a bulk upload; `mediaType` where the sender named one. */
export interface BulkFile {
  path: string;
  mediaType?: string | undefined;
  bytes(): Promise<Buffer>;
}
export type BulkItem = z.output<typeof bulkItemSchema>;

/** What a worker stores next: texts together, then a file alone. */
interface Work {
  texts: Placed<TextUpload>[];
  alone?: Placed<{ path: string; upload: Upload }>;
}
type Placed<T> = T & { place: number };

/** Stores many documents, each like a single upload: one that cannot be stored does not stop the others. */
@Injectable()
export class BulkUpload {
  constructor(
    @InjectConfig() private readonly config: Config,
    private readonly documents: DocumentsService,
    private readonly attachments: Attachments,
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
    const left = uniqueFiles(files, stored);
    const waiting: Promise<void>[] = [];
    const worker = async () => {
      for (let isEnd = false; !isEnd && !call.signal.aborted;) {
        const { texts, alone } = await nextWork(left, stored);
        isEnd = texts.length === 0 && alone === undefined;
        if (texts.length > 0) waiting.push(...(await this.storeTexts(projectId, texts, call, stored)));
        if (alone !== undefined) stored(await this.storeOne(projectId, alone, call), alone.place);
      }
    };
    await Promise.all(Array.from({ length: PARALLEL }, worker));
    await Promise.all(waiting);
  }

  /** Returns when they are stored; the promises wait for the index. */
  private async storeTexts(
    projectId: string,
    texts: readonly Placed<TextUpload>[],
    call: UserCall,
    stored: (item: BulkItem, place: number) => void,
  ): Promise<Promise<void>[]> {
    const places = texts.map(({ place }) => place);
    try {
      const uploads = texts.map(({ path, media_type, text }) => ({ path, media_type, text }));
      const answers = await this.documents.putAll(projectId, uploads, this.timed(call));
      return answers.map(async (answer, i) => stored(await answer, places[i] as number));
    } catch (error) {
      for (const { path, place } of texts) stored(failed(path, error), place);
      return [];
    }
  }

  private async storeOne(
    projectId: string,
    { path, upload }: { path: string; upload: Upload },
    call: UserCall,
  ): Promise<BulkItem> {
    try {
      return (await this.attachments.put(projectId, path, upload, undefined, this.timed(call))).document;
    } catch (error) {
      return failed(path, error);
    }
  }

  private timed(call: UserCall): UserCall {
    return { ...call, deadlineMs: performance.now() + this.config.deadlines.upload_ms };
  }
}

/** The first file of each path, with its position. */
function* uniqueFiles(
  files: readonly BulkFile[],
  stored: (item: BulkItem, place: number) => void,
): Generator<Placed<{ file: BulkFile }>> {
  const firstPlaces = new Map<string, number>();
  for (const [place, file] of files.entries()) {
    const first = firstPlaces.get(file.path);
    if (first !== undefined) stored(samePath(file.path, first, place), place);
    else {
      firstPlaces.set(file.path, place);
      yield { file, place };
    }
  }
}

/** Reads files until there are enough texts for one call, or a file that is stored alone; nothing at the end. */
async function nextWork(
  left: Iterator<Placed<{ file: BulkFile }>>,
  stored: (item: BulkItem, place: number) => void,
): Promise<Work> {
  const texts: Work['texts'] = [];
  let chars = 0;
  while (texts.length < BATCH.documents && chars < BATCH.chars) {
    const next = left.next();
    if (next.done === true) break;
    const { file, place } = next.value;
    const { path } = file;
    try {
      const upload = await read(file);
      const { media_type, text } = upload;
      if (text === undefined || text.length > BATCH.charsOfEach) return { texts, alone: { path, upload, place } };
      texts.push({ path, media_type, text, place });
      chars += text.length;
    } catch (error) {
      stored(failed(path, error), place);
    }
  }
  return { texts };
}

async function read(file: BulkFile): Promise<Upload> {
  const { path, mediaType } = file;
  const fault = pathFault(path);
  if (fault !== undefined) throw badRequest('invalid_path', `path: ${fault}`);
  return uploadOf(path, mediaType, await file.bytes());
}

function failed(path: string, error: unknown): BulkItem {
  const { code, detail } = toProblem(error);
  return { path, error: { code, detail } };
}

/** The error for a second file with the same path, because it would silently replace the first. */
function samePath(path: string, firstPlace: number, place: number): BulkItem {
  const detail = `path: file ${place + 1} of this upload has the same path as file ${firstPlace + 1}, ${JSON.stringify(path)}; only file ${firstPlace + 1} was taken. Rename one of them and send it again.`;
  return { path, error: { code: 'duplicate_path', detail } };
}

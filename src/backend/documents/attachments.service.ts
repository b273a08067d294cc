import { Injectable } from '@nestjs/common';
import type { z } from 'zod';
import { FilesystemClient } from '../../downstream/filesystem/filesystem.client.js';
import { pathFault } from '../../contract/document-path.js';
import { badRequest } from '../../http/problem.js';
import { toProblem } from '../../http/problem.filter.js';
import type { UserCall } from '../call/public-call.js';
import { DocumentsService } from './documents.service.js';
import type { bulkItemSchema, storedSchema } from './stored.schema.js';
import { type Upload, uploadOf } from './upload.js';

type Stored = z.output<typeof storedSchema>;
type Item = z.output<typeof bulkItemSchema>;

/** The depth of attachments: an e-mail may be attached to an e-mail. */
const MAX_DEPTH = 3;

/** Stores documents together with the files that they contain, such as those attached to an e-mail. */
@Injectable()
export class Attachments {
  constructor(
    private readonly documents: DocumentsService,
    private readonly filesystem: FilesystemClient,
  ) {}

  /**
   * Each attachment becomes a document of its own below `<path>.attachments/`. One that cannot be stored carries the
   * reason.
   */
  async put(projectId: string, path: string, upload: Upload, ifMatch: string | undefined, call: UserCall, depth = 0) {
    const { created, document } = await this.documents.put(projectId, path, upload, ifMatch, call);
    return { created, document: await this.withAttachments(projectId, document, call, depth) };
  }

  /** Adds the results of its attachments to a stored document. */
  async withAttachments(projectId: string, document: Stored, call: UserCall, depth = 0): Promise<Stored> {
    const hasAttachments = document.warnings?.some(({ code }) => code === 'attachments_apart') === true;
    if (!hasAttachments || depth >= MAX_DEPTH) return document;
    const folder = `${document.path}.attachments`;
    try {
      const { attachments } = await this.filesystem.listAttachments(
        { params: { project_id: projectId }, query: { path: document.path } },
        call,
      );
      const names = distinct(attachments.map(({ name }) => fileName(name)));
      const items: Item[] = [];
      for (const [at, { media_type, content_base64 }] of attachments.entries()) {
        const bytes = Buffer.from(content_base64, 'base64');
        items.push(await this.storeOne(projectId, `${folder}/${names[at]}`, media_type, bytes, call, depth));
      }
      return { ...document, attachments: items };
    } catch (error) {
      return { ...document, attachments: [failed(folder, error)] };
    }
  }

  private async storeOne(
    projectId: string,
    path: string,
    mediaType: string,
    bytes: Buffer,
    call: UserCall,
    depth: number,
  ): Promise<Item> {
    try {
      const fault = pathFault(path);
      if (fault !== undefined) throw badRequest('invalid_path', `path: ${fault}`);
      // The version of each attachment is derived from that of the document with the attachment.
      const own = { ...call, claim: undefined };
      return (await this.put(projectId, path, uploadOf(path, mediaType, bytes), undefined, own, depth + 1)).document;
    } catch (error) {
      return failed(path, error);
    }
  }
}

function failed(path: string, error: unknown): Item {
  const { code, detail } = toProblem(error);
  return { path, error: { code, detail } };
}

/** A sender's file name may contain a path of the sender's system. */
function fileName(name: string): string {
  const last = name.normalize('NFC').split(/[/\\]/).at(-1) ?? '';
  const clean = last.replaceAll(/[\p{Cc}\p{Cs}]/gu, ' ').trim();
  return clean === '' || clean === '.' || clean === '..' ? 'attachment' : clean;
}

/** `a.csv`, `a (2).csv`: makes names unique, because many attachments of one mailbox may have the same name. */
function distinct(names: readonly string[]): string[] {
  const counts = new Map<string, number>();
  return names.map((name) => {
    const count = (counts.get(name) ?? 0) + 1;
    counts.set(name, count);
    return count === 1 ? name : name.replace(/(\.[^.]*)?$/, ` (${count})$1`);
  });
}

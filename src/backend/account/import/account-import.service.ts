import { Injectable } from '@nestjs/common';
import pLimit from 'p-limit';
import { z } from 'zod';
import { InjectConfig } from '../../../config/config.module.js';
import type { Config } from '../../../config/config.schema.js';
import { pathFault } from '../../../contract/document-path.js';
import { badRequest } from '../../../http/problem.js';
import { toProblem } from '../../../http/problem.filter.js';
import { DownstreamError } from '../../../resilience/policy/downstream-error.js';
import type { UserCall } from '../../call/public-call.js';
import { DocumentsService } from '../../documents/documents.service.js';
import {
  exportedConversationSchema,
  type ExportedDocument,
  exportedProjectSchema,
  MANIFEST,
  manifestSchema,
} from '../format/export-format.js';
import type { ImportArchive } from './import-archive.js';
import { ImportedConversations } from './imported-conversations.service.js';
import { ImportedProjects } from './imported-projects.service.js';
import { ImportedTrash } from './imported-trash.service.js';

const PARALLEL = 6;

export const importResultSchema = z.object({
  projects: z.array(
    z.object({
      project_id: z.string(),
      name: z.string(),
      /** How many documents were stored. */
      documents: z.int(),
      /** How many were there already; they stay as they are. */
      kept: z.int(),
      /** How many documents were put into the trash. */
      trash: z.int(),
    }),
  ),
  /** How many conversations have all their turns now. */
  conversations: z.int(),
  failed: z.array(z.object({ what: z.string(), code: z.string(), detail: z.string() })),
});
type ImportResult = z.output<typeof importResultSchema>;

/**
 * Brings an exported account into the account of the call. Nothing that exists is overwritten, so that an import that was
 * interrupted is continued by a repetition. Objects keep their ids, except where the account has deleted an object with this
 * id. Refused objects are listed; the outage of a server ends the import.
 */
@Injectable()
export class AccountImport {
  constructor(
    @InjectConfig() private readonly config: Config,
    private readonly projects: ImportedProjects,
    private readonly conversations: ImportedConversations,
    private readonly documents: DocumentsService,
    private readonly trashed: ImportedTrash,
  ) {}

  /** @throws Problem 400 `invalid_archive`; DownstreamError */
  async import(archive: ImportArchive, call: UserCall): Promise<ImportResult> {
    const manifest = await archive.json(MANIFEST, manifestSchema);
    const result: ImportResult = { projects: [], conversations: 0, failed: [] };
    const projectIds = new Map<string, string>();
    for (const { project_id, folder } of manifest.projects) {
      await this.listed(result, folder, call, async () => {
        projectIds.set(project_id, await this.project(archive, folder, result, call));
      });
    }
    for (const { conversation_id, file } of manifest.conversations) {
      await this.listed(result, conversation_id, call, async () => {
        const conversation = await archive.json(file, exportedConversationSchema);
        const projectId = projectIds.get(conversation.project_id ?? '') ?? conversation.project_id;
        await this.conversations.bring({ ...conversation, project_id: projectId }, this.timed(call));
        result.conversations += 1;
      });
    }
    return result;
  }

  /** @returns the id that the project has here */
  private async project(archive: ImportArchive, folder: string, result: ImportResult, call: UserCall): Promise<string> {
    const { documents, trash, ...project } = await archive.json(`${folder}/project.json`, exportedProjectSchema);
    const project_id = await this.projects.bring(project, this.timed(call));
    const counts = { project_id, name: project.name, documents: 0, kept: 0, trash: 0 };
    result.projects.push(counts);
    await pLimit(PARALLEL).map(documents, (document) =>
      this.listed(result, `${folder}: ${document.path}`, call, async () => {
        if (await this.document(archive, project_id, document, this.timed(call))) counts.documents += 1;
        else counts.kept += 1;
      }),
    );
    await pLimit(PARALLEL).map(trash, (document) =>
      this.listed(result, `${folder}: ${document.path} in the trash`, call, async () => {
        if (await this.trashed.bring(archive, project_id, document, this.timed(call))) counts.trash += 1;
      }),
    );
    return project_id;
  }

  /** @returns false where the project has a document with this path */
  private async document(
    archive: ImportArchive,
    projectId: string,
    { path, file, media_type, original_type, text_file, unreadable, tags }: ExportedDocument,
    call: UserCall,
  ): Promise<boolean> {
    const fault = pathFault(path);
    if (fault !== undefined) throw badRequest('invalid_path', `path: ${fault}`);
    const bytes = await archive.bytes(file, this.config.http.max_body_bytes);
    const original = { media_type: original_type ?? media_type, content_base64: bytes.toString('base64'), tags };
    try {
      if (unreadable === true && text_file !== undefined) {
        const text = (await archive.bytes(text_file, this.config.http.max_body_bytes)).toString();
        await this.documents.put(projectId, path, { media_type: 'text/plain', text, tags }, '*', call);
        // The answer is that no text can be read from it; it is stored all the same.
        await this.documents.put(projectId, path, original, undefined, call).catch(unlessUnreadable);
      } else if (original_type === undefined) {
        await this.documents.put(projectId, path, { media_type, text: bytes.toString(), tags }, '*', call);
      } else await this.documents.put(projectId, path, original, '*', call);
      return true;
    } catch (error) {
      if (error instanceof DownstreamError && error.status === 412) return false;
      throw error;
    }
  }

  /** Does the work for one object, unless the caller has gone; a refusal is listed. */
  private async listed(result: ImportResult, what: string, call: UserCall, work: () => Promise<void>): Promise<void> {
    if (call.signal.aborted) return;
    try {
      await work();
    } catch (error) {
      if (error instanceof DownstreamError && error.reason !== 'rejected') throw error;
      const { status, code, detail } = toProblem(error);
      if (status >= 500 && status !== 507) throw error;
      result.failed.push({ what, code, detail });
    }
  }

  private timed(call: UserCall): UserCall {
    return { ...call, deadlineMs: performance.now() + this.config.deadlines.upload_ms };
  }
}

function unlessUnreadable(error: unknown): void {
  if (!(error instanceof DownstreamError && error.status === 422)) throw error;
}

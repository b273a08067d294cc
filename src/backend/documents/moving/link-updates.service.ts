import { Injectable } from '@nestjs/common';
import pLimit from 'p-limit';
import { FilesystemClient } from '../../../downstream/filesystem/filesystem.client.js';
import type { DocumentInfo } from '../../../downstream/filesystem/filesystem.contract.js';
import { Problem } from '../../../http/problem.js';
import { DownstreamError } from '../../../resilience/policy/downstream-error.js';
import type { UserCall } from '../../call/public-call.js';
import { DocumentsService } from '../documents.service.js';
import { Relocation } from './relink.js';

/** Every Markdown document of the project is read, so their number is bounded. */
const MAX_READ = 5000;
const PAGE = 1000;
const PARALLEL = 4;
const CHANGED_MEANWHILE = 412;
/** How often a document is read again that was changed meanwhile. */
const MAX_TRIES = 3;

/** Changes the links of a project's Markdown documents after a move. */
@Injectable()
export class LinkUpdates {
  constructor(
    private readonly filesystem: FilesystemClient,
    private readonly documents: DocumentsService,
  ) {}

  /** @throws Problem 422 `too_many_documents` where the project has too many documents for it */
  async check(project_id: string, call: UserCall): Promise<void> {
    const query = { prefix: '', limit: 1, offset: 0 };
    const { total } = await this.filesystem.listDocuments({ params: { project_id }, query }, call);
    if (total <= MAX_READ) return;
    throw new Problem({
      status: 422,
      code: 'too_many_documents',
      detail: `update_links: the project has ${total} documents; links are updated in projects of up to ${MAX_READ}. Nothing was moved; leave out update_links.`,
    });
  }

  /** @returns the new versions of the changed documents, by path */
  async update(
    projectId: string,
    moved: readonly { from: string; to: string }[],
    call: UserCall,
  ): Promise<Map<string, string>> {
    const all = await this.all(projectId, call);
    const relocation = new Relocation(
      new Map(moved.map(({ from, to }) => [from, to])),
      all.map(({ path }) => path),
    );
    const versions = new Map<string, string>();
    await pLimit(PARALLEL).map(all.filter(isMarkdown), async ({ path }) => {
      const version = await this.updateOne(projectId, path, relocation, call);
      if (version !== undefined) versions.set(path, version);
    });
    return versions;
  }

  private async updateOne(project_id: string, path: string, relocation: Relocation, call: UserCall) {
    for (let left = MAX_TRIES; ; left--) {
      try {
        const document = await this.filesystem.getDocument({ params: { project_id }, query: { path } }, call);
        const text = await relocation.relink(document.text, path);
        if (text === document.text) return undefined;
        const upload = { media_type: document.media_type, text };
        // The version of each document is its own, and not that of the request.
        const own = { ...call, claim: undefined };
        const stored = await this.documents.put(project_id, path, upload, document.version, own, 'Update links in');
        return stored.document.version;
      } catch (error) {
        if (!(error instanceof DownstreamError)) throw error;
        if (error.status === 404) return undefined;
        if (error.status !== CHANGED_MEANWHILE || left === 0) throw error;
      }
    }
  }

  private async all(project_id: string, call: UserCall): Promise<DocumentInfo[]> {
    const found: DocumentInfo[] = [];
    for (let offset = 0, total = Infinity; offset < total; offset += PAGE) {
      const query = { prefix: '', limit: PAGE, offset };
      const page = await this.filesystem.listDocuments({ params: { project_id }, query }, call);
      total = page.total;
      found.push(...page.documents);
    }
    return found;
  }
}

const isMarkdown = ({ path, media_type }: DocumentInfo) =>
  media_type === 'text/markdown' || (media_type === 'text/plain' && /\.(?:md|markdown)$/i.test(path));

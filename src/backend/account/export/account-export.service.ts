import type { Readable } from 'node:stream';
import { Injectable } from '@nestjs/common';
import { branchOf } from '../../../contract/branch.js';
import { AuthClient } from '../../../downstream/auth/auth.client.js';
import { BillingClient } from '../../../downstream/billing/billing.client.js';
import { FilesystemClient } from '../../../downstream/filesystem/filesystem.client.js';
import type { ConversationInfo, DocumentInfo, Project } from '../../../downstream/filesystem/filesystem.contract.js';
import { HistoryCopies } from '../../copies/copies.module.js';
import { GitClient } from '../../../downstream/git/git.client.js';
import { DownstreamError } from '../../../resilience/policy/downstream-error.js';
import type { UserCall } from '../../call/public-call.js';
import { ConversationsService } from '../../conversations/conversations.service.js';
import { conversationAsMarkdown } from '../../conversations/markdown-export.js';
import {
  type ExportedConversation,
  type ExportedDocument,
  type ExportedProject,
  type ExportedTrashed,
  FORMAT,
  MANIFEST,
  type Manifest,
} from '../format/export-format.js';
import { fileNames, folderName } from './entry-names.js';
import { type ZipEntry, zipStream } from './zip-stream.js';

const PAGE = 500;
/** For one call: an export in all takes as long as it is read. */
const CALL_MS = 60_000;

/** The data that are read before the first byte is sent, so that an outage can still be answered with a status. */
interface Beginning {
  projects: Project[];
  conversations: ConversationInfo[];
  entries: ZipEntry[];
  missing: Manifest['missing'];
}

/**
 * Writes everything of a person to a zip archive: documents as text and as uploaded, histories as git bundles,
 * conversations, ledger, and keys without secrets. Without the filesystem server there is no export; a part of another
 * server that is away is named in the manifest as missing.
 */
@Injectable()
export class AccountExport {
  constructor(
    private readonly auth: AuthClient,
    private readonly billing: BillingClient,
    private readonly filesystem: FilesystemClient,
    private readonly git: GitClient,
    private readonly histories: HistoryCopies,
    private readonly conversations: ConversationsService,
  ) {}

  async export(call: UserCall): Promise<Readable> {
    return zipStream(this.entries(await this.begin(call), call));
  }

  private async begin(call: UserCall): Promise<Beginning> {
    const missing: Manifest['missing'] = [];
    const query = (offset: number) => ({ query: { limit: PAGE, offset } });
    const projects = await all(async (offset) => {
      return (await this.filesystem.listProjects(query(offset), timed(call))).projects;
    });
    const conversations = await all(async (offset) => {
      return (await this.filesystem.listConversations(query(offset), timed(call))).conversations;
    });
    const read = [
      json('ledger.json', missing, async () => ({
        ...(await this.billing.balance({}, timed(call))),
        rows: await all(async (offset) => (await this.billing.usage(query(offset), timed(call))).rows),
      })),
      json('keys.json', missing, () => this.auth.listKeys({}, timed(call))),
    ];
    const entries = (await Promise.all(read)).filter((entry) => entry !== undefined);
    return { projects, conversations, entries, missing };
  }

  private async *entries({ projects, conversations, entries, missing }: Beginning, call: UserCall) {
    const { user_id, email } = call.user;
    const manifest: Manifest = {
      ...{ format: FORMAT, exported_at: new Date().toISOString(), user: { user_id, email } },
      ...{ projects: [], conversations: [], missing },
    };
    yield* entries;
    for (const project of projects) yield* this.project(project, manifest, call);
    for (const conversation of conversations) yield* this.conversation(conversation, manifest, call);
    yield jsonEntry(MANIFEST, manifest);
  }

  private async *project(project: Project, manifest: Manifest, call: UserCall): AsyncGenerator<ZipEntry> {
    const params = { project_id: project.project_id };
    const folder = `projects/${folderName(project.name, project.project_id)}`;
    const infos = await all(async (offset) => {
      const query = { prefix: '', limit: PAGE, offset };
      return (await this.filesystem.listDocuments({ params, query }, timed(call))).documents;
    });
    const names = fileNames(infos.map(({ path }) => path));
    const documents: ExportedDocument[] = [];
    for (const info of infos) {
      const name = names.get(info.path) ?? info.path;
      const read = await this.document(project.project_id, info, { folder, name }, call).catch((error: unknown) => {
        manifest.missing.push({ what: `${folder}: ${info.path}`, reason: reasonOf(error, isOfOne) });
        return undefined;
      });
      if (read === undefined) continue;
      documents.push(read.document);
      yield* read.entries;
    }
    yield* this.history(params, `${folder}/history.bundle`, manifest, call);
    const trash: ExportedTrashed[] = [];
    yield* this.trash(project.project_id, folder, trash, manifest, call);
    const { documents: _, ...described } = project;
    yield jsonEntry(`${folder}/project.json`, { ...described, documents, trash } satisfies ExportedProject);
    manifest.projects.push({ project_id: project.project_id, folder });
  }

  private async document(
    project_id: string,
    { path }: DocumentInfo,
    { folder, name }: { folder: string; name: string },
    call: UserCall,
  ): Promise<{ document: ExportedDocument; entries: ZipEntry[] }> {
    const request = { params: { project_id }, query: { path } };
    const [{ text, pages: _, ...info }, original] = await Promise.all([
      this.filesystem.getDocument(request, timed(call)),
      this.filesystem.getOriginal(request, timed(call)).catch(unlessNone),
    ]);
    const file = `${folder}/documents/${name}`;
    const changedAt = new Date(info.updated_at);
    if (original === undefined) {
      return { document: { ...info, file }, entries: [{ name: file, changedAt, content: Buffer.from(text) }] };
    }
    const text_file = `${folder}/texts/${name}.txt`;
    const document = {
      ...{ ...info, file, text_file, original_type: original.media_type },
      ...(original.readable ? {} : { unreadable: true as const }),
    };
    const entries = [
      { name: file, changedAt, content: Buffer.from(original.content_base64, 'base64') },
      { name: text_file, changedAt, content: Buffer.from(text) },
    ];
    return { document, entries };
  }

  /** @param found gets their descriptions */
  private async *trash(
    project_id: string,
    folder: string,
    found: ExportedTrashed[],
    { missing }: Manifest,
    call: UserCall,
  ): AsyncGenerator<ZipEntry> {
    const params = { project_id };
    const infos = await all(async (offset) => {
      return (await this.filesystem.listTrash({ params, query: { limit: PAGE, offset } }, timed(call))).documents;
    });
    for (const [i, { path, version }] of infos.entries()) {
      const read = await this.filesystem
        .getTrashed({ params, query: { path, version } }, timed(call))
        // It was restored or removed meanwhile, or its file is damaged.
        .catch((error: unknown) => {
          missing.push({ what: `${folder}: ${path} in the trash`, reason: reasonOf(error, isOfOne) });
          return undefined;
        });
      if (read === undefined) continue;
      const { text, original, ...info } = read;
      const file = `${folder}/trash/${i + 1}/${path}`;
      const changedAt = new Date(info.updated_at);
      const described = { ...info, file };
      if (original === undefined) {
        yield { name: file, changedAt, content: Buffer.from(text) };
        found.push(described);
        continue;
      }
      const text_file = `${folder}/trash-texts/${i + 1}/${path}.txt`;
      yield { name: file, changedAt, content: Buffer.from(original.content_base64, 'base64') };
      yield { name: text_file, changedAt, content: Buffer.from(text) };
      found.push({ ...described, text_file, original_type: original.media_type });
    }
  }

  /** The history as a git bundle, which `git clone` reads. */
  private async *history(
    params: { project_id: string },
    name: string,
    { missing }: Manifest,
    call: UserCall,
  ): AsyncGenerator<ZipEntry> {
    try {
      const reading = await this.histories.reading(call.userId, params.project_id);
      const { bundle_id, bytes } = await this.git.createBundle({ params }, reading.of(timed(call)));
      // Only the server that made the bundle has it.
      const { client } = this.histories.at(reading.endpoint);
      const part = async (bundle_id: string, offset: number) => {
        const request = { params: { ...params, bundle_id }, query: { offset } };
        return Buffer.from((await client.readBundle(request, timed(call))).content_base64, 'base64');
      };
      if (bundle_id === null) return;
      // The first part is read before the entry begins: an entry that has begun cannot be left out any more.
      const first = await part(bundle_id, 0);
      yield { name, changedAt: new Date(), content: rest(first, bytes, (offset) => part(bundle_id, offset)) };
    } catch (error) {
      missing.push({ what: name, reason: reasonOf(error) });
    }
  }

  private async *conversation({ conversation_id }: ConversationInfo, manifest: Manifest, call: UserCall) {
    const found = await this.conversations
      .get(conversation_id, { all: true }, timed(call))
      // It was deleted meanwhile.
      .catch((error: unknown) => void reasonOf(error, isOfOne));
    if (found === undefined) return;
    const { offset: _, total: __, ...conversation } = found;
    const file = `conversations/${conversation_id}.json`;
    const newest = { ...conversation, turns: branchOf(conversation.turns) };
    const markdown = Buffer.from(conversationAsMarkdown(newest));
    const changedAt = new Date(conversation.updated_at);
    yield { name: `conversations/${conversation_id}.md`, changedAt, content: markdown };
    yield jsonEntry(file, conversation satisfies ExportedConversation, changedAt);
    manifest.conversations.push({ conversation_id, file });
  }
}

const timed = (call: UserCall): UserCall => ({ ...call, deadlineMs: performance.now() + CALL_MS });

/** All items of a list in pages. */
async function all<T>(page: (offset: number) => Promise<readonly T[]>): Promise<T[]> {
  const items: T[] = [];
  for (;;) {
    const next = await page(items.length);
    items.push(...next);
    if (next.length < PAGE) return items;
  }
}

function jsonEntry(name: string, value: unknown, changedAt = new Date()): ZipEntry {
  return { name, changedAt, content: Buffer.from(`${JSON.stringify(value, null, 2)}\n`) };
}

/** A file of a server without which the export goes on; the manifest then says why it is missing. */
async function json(name: string, missing: Manifest['missing'], read: () => Promise<unknown>) {
  try {
    return jsonEntry(name, await read());
  } catch (error) {
    missing.push({ what: name, reason: reasonOf(error) });
    return undefined;
  }
}

async function* rest(first: Buffer, bytes: number, read: (offset: number) => Promise<Buffer>) {
  yield first;
  for (let offset = first.length; offset < bytes;) {
    const part = await read(offset);
    if (part.length === 0) throw new Error(`a git bundle of ${bytes} bytes ended at ${offset}`);
    yield part;
    offset += part.length;
  }
}

/** Whether an error concerns one object only; any other one ends the export. */
const isOfOne = (error: DownstreamError) => error.reason === 'rejected';

/** The reason of a service's failure, for the manifest; other errors, and those that are not accepted, are thrown again. */
function reasonOf(error: unknown, accept: (error: DownstreamError) => boolean = () => true): string {
  const status = (error as { problem?: { status?: number; code?: string } }).problem;
  if (!(error instanceof DownstreamError)) {
    if (status?.status === 404) return 'not_found';
    throw error;
  }
  if (error.reason === 'cancelled' || !accept(error)) throw error;
  return error.problem?.code ?? error.reason;
}

/** Undefined where the text itself was uploaded. */
function unlessNone(error: unknown): undefined {
  if (!(error instanceof DownstreamError && error.status === 404)) throw error;
}

import { Injectable } from '@nestjs/common';
import { type McpServer, ResourceTemplate } from '@modelcontextprotocol/sdk/server/mcp.js';
import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js';
import { PinoLogger } from 'nestjs-pino';
import { z } from 'zod';
import { InjectConfig } from '../../config/config.module.js';
import type { Config } from '../../config/config.schema.js';
import { HistoryCopies } from '../copies/copies.module.js';
import { GitClient } from '../../downstream/git/git.client.js';
import { Problem } from '../../http/problem.js';
import { toProblem } from '../../http/problem.filter.js';
import { Degradation } from '../call/degradation.js';
import type { UserCall } from '../call/public-call.js';
import { ChatService } from '../chat/chat.service.js';
import { collectAnswer } from '../chat/message-reply.js';
import { DocumentsService } from '../documents/documents.service.js';
import { idSchema } from '../edge/schemas.js';
import { ProjectAccess } from '../projects/project-access.service.js';
import { ProjectsService } from '../projects/projects.service.js';
import { Retrieval } from '../search/retrieval.service.js';

const project_id = idSchema.describe('The project, as list_projects names it');
const paths = z
  .array(z.string().min(1).max(1000))
  .min(1)
  .max(100)
  .optional()
  .describe('Only these documents, folders (garden/) or patterns (*.md)');
const path = z.string().min(1).max(1024).describe('The path of a document in the project');
const limit = (most: number, usual: number) => z.int().min(1).max(most).default(usual);
const offset = z.int().min(0).max(1_000_000).default(0);

const READ_ONLY = { readOnlyHint: true, openWorldHint: false };
/** The limit of a document's text in one answer, in characters. */
const MAX_TEXT_CHARS = 100_000;
const MAX_LISTED_PROJECTS = 20;
const MAX_LISTED_DOCUMENTS = 200;

const scopeOf = (only: string[] | undefined) => (only === undefined ? undefined : { paths: only });

type Work<Input> = (input: Input, call: UserCall) => Promise<object>;

/** The tools with which an agent uses a user's documents. */
@Injectable()
export class McpTools {
  constructor(
    @InjectConfig() private readonly config: Config,
    private readonly projects: ProjectsService,
    private readonly access: ProjectAccess,
    private readonly documents: DocumentsService,
    private readonly retrieval: Retrieval,
    private readonly git: GitClient,
    private readonly histories: HistoryCopies,
    private readonly chat: ChatService,
    private readonly log: PinoLogger,
  ) {}

  register(server: McpServer, call: UserCall): void {
    const add = <S extends z.ZodRawShape>(
      name: string,
      description: string,
      inputSchema: S,
      work: Work<z.output<z.ZodObject<S>>>,
    ) => {
      const answer = (input: unknown) => this.answered(call, (own) => work(input as z.output<z.ZodObject<S>>, own));
      // The SDK infers the callback's type from the shape; one common type keeps the compiler from inferring each.
      const shape: z.ZodRawShape = inputSchema;
      server.registerTool(name, { description, inputSchema: shape, annotations: READ_ONLY }, answer);
    };

    add('list_projects', "The person's projects", { limit: limit(100, 50), offset }, (page, own) =>
      this.projects.list(page, own),
    );
    add(
      'list_documents',
      'The documents of a project, with their titles and sizes',
      {
        project_id,
        prefix: z.string().max(1024).default('').describe('Only paths that begin so'),
        limit: limit(500, 100),
        offset,
      },
      async ({ project_id: id, ...query }, own) => {
        await this.require(id, own);
        return this.documents.list(id, query, own);
      },
    );
    add(
      'search',
      'Finds the passages of a project that say most about a query, in any language',
      { project_id, query: z.string().min(1).max(8192), paths, limit: limit(50, 10) },
      (input, own) => this.search(input, own),
    );
    add(
      'read_document',
      'The text of a document, or the part between two places in it (counted in UTF-16 code units, as search gives them)',
      { project_id, path, start: offset, end: z.int().min(0).optional() },
      (input, own) => this.read(input, own),
    );
    add(
      'document_history',
      'Who changed what and when in a project or one document, newest first',
      { project_id, path: path.optional(), limit: limit(100, 20), offset },
      async ({ project_id: id, ...query }, own) => {
        await this.require(id, own);
        return this.git.history({ params: { project_id: id }, query }, await this.histories.of(id, own));
      },
    );
    add(
      'ask',
      "Answers a question from a project's documents, with the passages that the answer stands on",
      { project_id, question: z.string().min(1).max(32_768), paths },
      (input, own) => this.ask(input, own),
    );
    this.registerDocuments(server, call);
  }

  private registerDocuments(server: McpServer, call: UserCall): void {
    const list = async () => ({ resources: await this.listed(call) });
    const template = new ResourceTemplate('caudex://{project_id}/{+path}', { list });
    server.registerResource('document', template, { description: 'A document of a project' }, async (uri, named) => {
      const id = String(named['project_id']);
      const name = decodeURIComponent(String(named['path']));
      await this.require(id, call);
      const document = await this.documents.get(id, name, undefined, call);
      return { contents: [{ uri: uri.href, mimeType: 'text/plain', text: document.text }] };
    });
  }

  /** The documents of the newest projects, for clients that show resources; `list_documents` finds the others. */
  private async listed(call: UserCall) {
    const { projects } = await this.projects.list({ limit: MAX_LISTED_PROJECTS, offset: 0 }, call);
    const page = { prefix: '', limit: MAX_LISTED_DOCUMENTS, offset: 0 };
    const found = [];
    for (const { project_id: id, name } of projects) {
      const { documents } = await this.documents.list(id, page, call);
      for (const { path: place, title, bytes } of documents) {
        const uri = `caudex://${id}/${encodeURI(place).replace(/[?#]/g, encodeURIComponent)}`;
        found.push({ uri, name: place, title: title || place, description: name, mimeType: 'text/plain', size: bytes });
      }
      if (found.length >= MAX_LISTED_DOCUMENTS) break;
    }
    return found.slice(0, MAX_LISTED_DOCUMENTS);
  }

  private async search(
    input: { project_id: string; query: string; paths?: string[] | undefined; limit: number },
    call: UserCall,
  ): Promise<object> {
    await this.require(input.project_id, call);
    const { results, total, outcome, source } = await this.retrieval.retrieve(
      {
        projectId: input.project_id,
        query: input.query,
        limit: input.limit,
        offset: 0,
        mode: 'hybrid',
        scope: scopeOf(input.paths),
        budgetMs: this.config.search.context_budget_ms,
      },
      call,
      Promise.resolve(undefined),
    );
    return { results, total, outcome, source };
  }

  private async read(
    {
      project_id: id,
      path: name,
      start,
      end,
    }: { project_id: string; path: string; start: number; end?: number | undefined },
    call: UserCall,
  ): Promise<object> {
    await this.require(id, call);
    const { text, ...document } = await this.documents.get(id, name, undefined, call);
    const last = Math.min(text.length, end ?? text.length, start + MAX_TEXT_CHARS);
    return { ...document, length: text.length, start, end: last, text: text.slice(start, last).toWellFormed() };
  }

  private async ask(
    { project_id: id, question, paths: only }: { project_id: string; question: string; paths?: string[] | undefined },
    call: UserCall,
  ) {
    if (call.key !== undefined && !call.key.scopes.includes('chat')) {
      throw new Problem({ status: 403, code: 'key_scope', detail: 'The API key has no scope "chat".' });
    }
    await this.require(id, call);
    const stream = await this.chat.begin(
      { message: question, project_id: id, scope: scopeOf(only), detachedMs: this.config.chat.client_detached_ms },
      call,
    );
    const answer = await collectAnswer(stream, call.signal);
    if (answer === null) throw new Problem({ status: 499, code: 'cancelled', detail: 'The client disconnected.' });
    const { sources, model, finish_reason, conversation_id, degraded, degradation } = answer.summary;
    return { answer: answer.text, sources, model, finish_reason, conversation_id, degraded, degradation };
  }

  /** @throws Problem 404 for a project of another user, 403 for one that the API key does not give access to */
  private async require(projectId: string, call: UserCall): Promise<void> {
    const only = call.key?.project_id ?? projectId;
    if (only !== projectId) {
      throw new Problem({
        status: 403,
        code: 'key_scope',
        detail: `The API key opens the project ${JSON.stringify(only)} only.`,
      });
    }
    await this.access.require(projectId, call);
  }

  /** A refusal or an outage is a result that the agent can read, not a protocol error. */
  private async answered(call: UserCall, work: (call: UserCall) => Promise<object>): Promise<CallToolResult> {
    const own: UserCall = { ...call, degradation: new Degradation() };
    try {
      const found = await work(own);
      const { degraded, list: degradation } = own.degradation;
      const told = { degraded, degradation, ...found };
      return { content: [{ type: 'text', text: JSON.stringify(told) }], structuredContent: { ...told } };
    } catch (error) {
      const { code, detail, retryAfter } = toProblem(error);
      if (code === 'internal_error') this.log.error({ err: error, request_id: call.requestId }, 'A tool failed');
      const wait = retryAfter === undefined ? '' : ` Try again in ${retryAfter} s.`;
      return { isError: true, content: [{ type: 'text', text: `${code}: ${detail}${wait}` }] };
    }
  }
}

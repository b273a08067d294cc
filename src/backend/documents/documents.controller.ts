import {
  Body,
  Controller,
  Delete,
  Get,
  Headers,
  HttpCode,
  Param,
  Post,
  Put,
  Query,
  Req,
  Res,
  UseInterceptors,
} from '@nestjs/common';
import { ApiBody, ApiConsumes, ApiOperation, ApiProduces, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { chromaContract } from '../../downstream/chroma/chroma.contract.js';
import { documentInfoSchema, filesystemContract } from '../../downstream/filesystem/filesystem.contract.js';
import { badRequest, Problem } from '../../http/problem.js';
import { ReplayInterceptor } from '../edge/idempotency/replay.interceptor.js';
import { Answers, TakesHeader, TakesIdempotencyKey } from '../edge/openapi.js';
import { ProjectAccess } from '../projects/project-access.service.js';
import { idSchema, pageSchema } from '../edge/schemas.js';
import { Audited } from '../audit/audited.decorator.js';
import { Call, Deadline, type UserCall } from '../call/public-call.js';
import { Attachments } from './attachments.service.js';
import { documentPath } from './document-path.js';
import { DocumentsService } from './documents.service.js';
import { IndexRepair } from './repair/index-repair.service.js';
import { partOf } from './ranges.js';
import { pathSchema, tagsOfSchema } from './request.schemas.js';
import { storedSchema, taggedSchema } from './stored.schema.js';
import { readUpload } from './upload.js';

const listQuery = pageSchema.extend({ prefix: z.string().max(255).default('') });
const indexSchema = chromaContract.describe.response.extend({
  queued: z.int(),
  index: z.enum(['ready', 'rebuilding']),
  /** Pictures whose text is being recognised; absent while this is not known. */
  ocr: filesystemContract.recognition.response.optional(),
});
const extractBody = z.strictObject({ path: pathSchema });
const rebuiltSchema = z.object({ project_id: z.string(), documents: z.int(), index: z.literal('rebuilding') });
const deleteQuery = z.strictObject({ trash: z.enum(['true', 'false']).optional() });
const textQuery = z
  .strictObject({ version: idSchema.optional(), original: z.enum(['true', 'false']).optional() })
  .refine(({ version, original }) => version === undefined || original !== 'true', {
    message: 'the original is kept of the current state alone; leave out version or original',
    path: ['original'],
  });

@ApiTags('documents')
@Controller('v1/api/projects/:project_id')
export class DocumentsController {
  constructor(
    private readonly documents: DocumentsService,
    private readonly attachments: Attachments,
    private readonly access: ProjectAccess,
    private readonly repair: IndexRepair,
  ) {}

  @Get('documents')
  @ApiOperation({ summary: 'The documents of a project, by path' })
  @Answers(200, z.object({ documents: z.array(documentInfoSchema), total: z.int() }), 404)
  list(
    @Param('project_id', { schema: idSchema }) projectId: string,
    @Query({ schema: listQuery }) query: z.output<typeof listQuery>,
    @Call() call: UserCall,
  ) {
    return this.documents.list(projectId, query, call);
  }

  @Get('index')
  @ApiOperation({ summary: 'How far the index of a project is; `queued` documents wait for theirs' })
  @Answers(200, indexSchema, 404)
  async index(@Param('project_id', { schema: idSchema }) projectId: string, @Call() call: UserCall) {
    await this.access.require(projectId, call);
    return this.documents.index(projectId, call);
  }

  @Post('reindex')
  @HttpCode(202)
  @ApiOperation({ summary: 'Make the index of a project anew; search answers from the text meanwhile' })
  @Answers(202, rebuiltSchema, 404)
  async reindex(@Param('project_id', { schema: idSchema }) projectId: string, @Call() call: UserCall) {
    const userId = await this.ownerOf(projectId, call);
    const documents = await this.repair.rebuild({ userId, projectId });
    return { project_id: projectId, documents, index: 'rebuilding' as const };
  }

  /** Operators may do this for any project. @throws Problem 404 */
  private async ownerOf(projectId: string, call: UserCall): Promise<string> {
    try {
      const unsure = await this.access.require(projectId, call);
      if (unsure !== undefined) throw unsure;
      return call.userId;
    } catch (error) {
      if (!call.user.operator || !(error instanceof Problem)) throw error;
      const owned = (await this.repair.projects()).find((project) => project.projectId === projectId);
      if (owned === undefined) throw error;
      return owned.userId;
    }
  }

  @Post('extract')
  @HttpCode(200)
  @UseInterceptors(ReplayInterceptor)
  @Deadline('upload_ms')
  @ApiOperation({
    summary: 'Take the text out of the kept file of a document once more, as after an update that reads more of it',
  })
  @Answers(200, storedSchema, 404, 409, 410, 422, 507)
  async extract(
    @Param('project_id', { schema: idSchema }) projectId: string,
    @Body({ schema: extractBody }) { path }: z.output<typeof extractBody>,
    @Call() call: UserCall,
  ) {
    const { document } = await this.documents.extract(projectId, documentPath(path), call);
    return this.attachments.withAttachments(projectId, document, call);
  }

  @Put('tags')
  @ApiOperation({
    summary: 'Set the tags of a document, beside those in its front matter: search finds it by `tag:` and scope',
    description: 'They stay with further versions and with moves, and are no part of the history.',
  })
  @Answers(200, taggedSchema, 404)
  tag(
    @Param('project_id', { schema: idSchema }) projectId: string,
    @Body({ schema: tagsOfSchema }) { path, tags }: z.output<typeof tagsOfSchema>,
    @Call() call: UserCall,
  ) {
    return this.documents.setTags(projectId, documentPath(path), tags, call);
  }

  @Put('documents/*')
  @UseInterceptors(ReplayInterceptor)
  @Deadline('upload_ms')
  @ApiOperation({
    summary: 'Store a document: its text or file as the body',
    description:
      'The media type says what the body is (text/markdown, application/pdf and so on); with application/octet-stream the name of the document does. One file as multipart/form-data is taken too.',
  })
  @ApiConsumes('application/octet-stream')
  @ApiBody({ schema: { type: 'string', format: 'binary' } })
  @TakesIdempotencyKey()
  @TakesHeader('If-Match', 'Store only where this is the ETag of the current version')
  @TakesHeader('If-None-Match', '`*`: store only where there is no such document')
  @Answers(201, storedSchema, 404, 410, 412, 413, 415, 422, 424, 507)
  @Answers(200, storedSchema)
  async put(
    @Param('project_id', { schema: idSchema }) projectId: string,
    @Param('*') path: string,
    @Headers('if-match') ifMatch: string | undefined,
    @Headers('if-none-match') ifNoneMatch: string | undefined,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Call() call: UserCall,
  ) {
    const expected = ifNoneMatch === '*' ? '*' : ifMatch === undefined ? undefined : etagVersion(ifMatch);
    // The router treats a trailing slash as absent.
    const name = documentPath(/\/(\?|$)/.test(request.url) ? `${path}/` : path);
    const upload = await readUpload(request, name);
    const { created, document } = await this.attachments.put(projectId, name, upload, expected, call);
    void reply.status(created ? 201 : 200).header('etag', `"${document.version}"`);
    return document;
  }

  @Get('documents/*')
  @ApiOperation({
    summary: 'The text of a document, as it is or as it was at a version; `original=true`: the file as it was uploaded',
  })
  // An original has the media type of its upload.
  @ApiProduces('text/plain', 'text/markdown', '*/*')
  @TakesHeader('Range', 'A part of the document in bytes, like `bytes=0-1023`')
  @TakesHeader('If-None-Match', 'The ETag of a version that the client has: 304 where it is the current one')
  @Answers(200, z.string(), 404, 416, 424)
  @ApiResponse({ status: 206, description: 'The part that `Range` asks for', schema: { type: 'string' } })
  @ApiResponse({ status: 304, description: 'The document is as `If-None-Match` says.' })
  async get(
    @Param('project_id', { schema: idSchema }) projectId: string,
    @Param('*') path: string,
    @Query({ schema: textQuery }) { version, original }: z.output<typeof textQuery>,
    @Headers('if-none-match') known: string | undefined,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Call() call: UserCall,
  ) {
    const name = documentPath(path);
    if (original === 'true') {
      const file = await this.documents.original(projectId, name, call);
      void reply.header('cache-control', 'private, no-cache').header('content-disposition', attachment(name));
      void reply.type(file.media_type);
      return partOf(file.content, request, reply);
    }
    const document = await this.documents.get(projectId, name, version, call);
    const etag = `"${document.version}"`;
    void reply.header('etag', etag).header('cache-control', 'private, no-cache');
    if (known !== undefined && known.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag)) {
      void reply.status(304);
      return undefined;
    }
    void reply.type(
      document.media_type === 'text/markdown' ? 'text/markdown; charset=utf-8' : 'text/plain; charset=utf-8',
    );
    return partOf(Buffer.from(document.text), request, reply);
  }

  @Delete('documents/*')
  @HttpCode(204)
  @Audited('document.delete')
  @ApiOperation({
    summary: 'Delete a document from files, search and graph; its history stays',
    description: 'With `trash=true` the document and its original go to the trash, from which they can be restored.',
  })
  @Answers(204, null, 404, 422)
  delete(
    @Param('project_id', { schema: idSchema }) projectId: string,
    @Param('*') path: string,
    @Query({ schema: deleteQuery }) { trash }: z.output<typeof deleteQuery>,
    @Call() call: UserCall,
  ) {
    return this.documents.delete(projectId, documentPath(path), trash === 'true', call);
  }
}

/** The header of RFC 6266, with an ASCII name for clients that do not read the encoded one. */
function attachment(path: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const ascii = name.replaceAll(/[^\x20-\x7e]|["\\%]/g, '_');
  const encoded = encodeURIComponent(name).replaceAll(/['()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16)}`);
  return `attachment; filename="${ascii}"; filename*=UTF-8''${encoded}`;
}

function etagVersion(header: string): string {
  if (header.trim() === '*') throw badRequest('invalid_if_match', 'if-match: name one version, as its ETag says');
  return header
    .trim()
    .replace(/^W\//, '')
    .replace(/^"(.*)"$/, '$1');
}

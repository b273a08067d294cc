import { Controller, HttpCode, Param, Post, Req, Res } from '@nestjs/common';
import { ApiBody, ApiConsumes, ApiOperation, ApiProduces, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { InjectConfig } from '../../config/config.module.js';
import type { Config } from '../../config/config.schema.js';
import { Problem } from '../../http/problem.js';
import { EventStream, eventStreamTimes } from '../edge/event-stream.js';
import { OpenStreams } from '../edge/limits/open-streams.js';
import { Answers } from '../edge/openapi.js';
import { ProjectAccess } from '../projects/project-access.service.js';
import { idSchema } from '../edge/schemas.js';
import { Call, Deadline, type UserCall } from '../call/public-call.js';
import { type BulkFile, type BulkItem, BulkUpload } from './bulk-upload.service.js';
import { bulkSchema } from './stored.schema.js';
import { SkippedFiles, junkOf } from './archive/junk.js';
import { signatureType } from './file-signature.js';
import { isArchive, readArchive } from './archive/read-archive.js';
import { filesIn } from '../edge/multipart.js';

/** Generated clients send files as bytes. */
const BYTES = 'application/octet-stream';

@ApiTags('documents')
@Controller('v1/api/projects/:project_id')
export class BulkController {
  constructor(
    @InjectConfig() private readonly config: Config,
    private readonly bulk: BulkUpload,
    private readonly access: ProjectAccess,
    private readonly streams: OpenStreams,
  ) {}

  @Post('documents')
  @HttpCode(200)
  @Deadline('upload_ms')
  @ApiOperation({
    summary: 'Store many documents: several files, or an archive of them; as an event stream with its progress',
    description:
      'An archive (zip, tar, tar.gz) may also be the body itself, as application/zip, application/x-tar or application/gzip.',
  })
  // Only one media type: with two, several generators produce code that does not compile.
  @ApiConsumes('multipart/form-data')
  @ApiBody({
    schema: {
      type: 'object',
      properties: { files: { type: 'array', items: { type: 'string', format: 'binary' } } },
      required: ['files'],
    },
  })
  @ApiProduces('application/json', 'text/event-stream')
  @Answers(200, bulkSchema, 404, 413, 415)
  async store(
    @Param('project_id', { schema: idSchema }) projectId: string,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Call() call: UserCall,
  ) {
    await this.access.require(projectId, call);
    const skipped = new SkippedFiles();
    const files = await this.filesOf(request, skipped);
    if (request.headers.accept?.includes('text/event-stream') === true) {
      return this.stream(projectId, files, skipped, reply, call);
    }
    const byPlace: BulkItem[] = [];
    await this.bulk.store(projectId, files, call, (item, place) => (byPlace[place] = item));
    // After a disconnect some positions have no item.
    const documents = byPlace.filter((item) => item !== undefined);
    return { documents, ...summaryOf(documents, skipped) };
  }

  /** Sends a `document` event with the progress after each file, then `finish`. */
  private async stream(
    projectId: string,
    files: readonly BulkFile[],
    skipped: SkippedFiles,
    reply: FastifyReply,
    call: UserCall,
  ) {
    await this.streams.enter(call.userId, reply);
    const events = new EventStream(reply, eventStreamTimes(this.config));
    let id = 0;
    const send = (event: string, data: object) => void events.send(data, { id: ++id, event }).catch(() => undefined);
    const documents: BulkItem[] = [];
    try {
      await this.bulk.store(projectId, files, call, (document) => {
        documents.push(document);
        send('document', { done: documents.length, total: files.length, document });
      });
      send('finish', summaryOf(documents, skipped));
    } finally {
      events.end();
    }
  }

  private async filesOf(request: FastifyRequest, skipped: SkippedFiles): Promise<BulkFile[]> {
    const { archive } = this.config.documents;
    if (request.isMultipart()) return this.partsOf(request, skipped);
    const type = request.headers['content-type']?.split(';')[0]?.trim().toLowerCase() ?? '';
    const { body } = request;
    if (Buffer.isBuffer(body) && isArchive(type === BYTES ? (signatureType(body) ?? '') : type)) {
      return readArchive(body, archive, skipped);
    }
    throw new Problem({
      status: 415,
      code: 'unsupported_media_type',
      detail: `content-type: ${JSON.stringify(type)} is not taken; send an archive as application/zip, application/x-tar or application/gzip, or files as multipart/form-data (a single document: PUT …/documents/{path})`,
    });
  }

  /** Each part is a document named by its file name, with folders, or an archive of documents. */
  private async partsOf(request: FastifyRequest, skipped: SkippedFiles): Promise<BulkFile[]> {
    const { archive } = this.config.documents;
    const { max_body_bytes } = this.config.http;
    const files: BulkFile[] = [];
    let totalBytes = 0;
    const limits = { files: archive.max_files, fileSize: max_body_bytes };
    for await (const { filename, mimetype, bytes } of filesIn(request, { limits, preservePath: true })) {
      totalBytes += bytes.length;
      // A body without Content-Length has passed the check of the announced length.
      if (totalBytes > max_body_bytes) {
        const detail = `body: more than ${max_body_bytes} bytes are too many`;
        throw new Problem({ status: 413, code: 'too_large', detail });
      }
      if (isArchive(mimetype, filename)) {
        files.push(...(await readArchive(bytes, archive, skipped)));
      } else {
        const path = filename.normalize('NFC');
        const junk = junkOf(path);
        if (junk !== undefined) skipped.add(junk);
        else files.push({ path, mediaType: mimetype, bytes: () => Promise.resolve(bytes) });
      }
      if (files.length > archive.max_files) {
        const detail = `body: more than ${archive.max_files} files are too many at once`;
        throw new Problem({ status: 413, code: 'archive_too_large', detail });
      }
    }
    return files;
  }
}

function summaryOf(documents: readonly BulkItem[], skipped: SkippedFiles) {
  const failed = documents.filter((item) => 'error' in item).length;
  return { stored: documents.length - failed, failed, skipped: skipped.list() };
}

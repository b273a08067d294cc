import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query, UseInterceptors } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { FilesystemClient } from '../../downstream/filesystem/filesystem.client.js';
import { filesystemContract } from '../../downstream/filesystem/filesystem.contract.js';
import { Audited } from '../audit/audited.decorator.js';
import { Call, type UserCall } from '../call/public-call.js';
import { ReplayInterceptor } from '../edge/idempotency/replay.interceptor.js';
import { Answers, TakesIdempotencyKey } from '../edge/openapi.js';
import { idSchema, pageSchema } from '../edge/schemas.js';
import { documentPath } from './document-path.js';
import { DocumentsService } from './documents.service.js';
import { inTrashSchema, pathSchema } from './request.schemas.js';
import { storedSchema } from './stored.schema.js';

const emptyQuery = z
  .strictObject({ path: pathSchema.optional(), version: idSchema.optional() })
  .refine(({ path, version }) => path !== undefined || version === undefined, {
    message: 'a version belongs to a document; give its path, too',
    path: ['version'],
  });

/** Deleted documents of a project that can be restored. */
@ApiTags('documents')
@Controller('v1/api/projects/:project_id/trash')
export class TrashController {
  constructor(
    private readonly documents: DocumentsService,
    private readonly filesystem: FilesystemClient,
  ) {}

  @Get()
  @ApiOperation({ summary: 'The documents in the trash of a project, those deleted last first' })
  @Answers(200, filesystemContract.listTrash.response, 404)
  list(
    @Param('project_id', { schema: idSchema }) project_id: string,
    @Query({ schema: pageSchema }) query: z.output<typeof pageSchema>,
    @Call() call: UserCall,
  ) {
    return this.filesystem.listTrash({ params: { project_id }, query }, call);
  }

  @Post('restore')
  @HttpCode(200)
  @UseInterceptors(ReplayInterceptor)
  @ApiOperation({
    summary: 'Put a document from the trash back to its path, with its original; its history goes on',
    description: 'Of several documents with one path the one deleted last, or the one with this version.',
  })
  @TakesIdempotencyKey()
  @Answers(200, storedSchema, 404, 409, 410, 422, 507)
  restore(
    @Param('project_id', { schema: idSchema }) projectId: string,
    @Body({ schema: inTrashSchema }) { path, version }: z.output<typeof inTrashSchema>,
    @Call() call: UserCall,
  ) {
    return this.documents.restoreTrashed(projectId, documentPath(path), version, call);
  }

  @Delete()
  @HttpCode(200)
  @Audited('trash.empty')
  @ApiOperation({ summary: 'Remove from the trash for good: everything, the documents of one path, or one of them' })
  @Answers(200, filesystemContract.emptyTrash.response, 404)
  empty(
    @Param('project_id', { schema: idSchema }) project_id: string,
    @Query({ schema: emptyQuery }) { path, ...query }: z.output<typeof emptyQuery>,
    @Call() call: UserCall,
  ) {
    const which = { ...query, ...(path !== undefined && { path: documentPath(path) }) };
    return this.filesystem.emptyTrash({ params: { project_id }, query: which }, call);
  }
}

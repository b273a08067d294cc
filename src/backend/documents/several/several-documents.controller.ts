import { Body, Controller, HttpCode, Param, Post, UseInterceptors } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import {
  filesystemContract,
  MAX_BATCH_DOCUMENTS,
  movedSchema,
} from '../../../downstream/filesystem/filesystem.contract.js';
import { Audited } from '../../audit/audited.decorator.js';
import { Call, Deadline, type UserCall } from '../../call/public-call.js';
import { ReplayInterceptor } from '../../edge/idempotency/replay.interceptor.js';
import { Answers, TakesIdempotencyKey } from '../../edge/openapi.js';
import { idSchema } from '../../edge/schemas.js';
import { Moving } from '../moving/moving.service.js';
import { inTrashSchema, pathSchema, pathsSchema, tagsOfSchema } from '../request.schemas.js';
import { errorSchema, failedSchema, storedSchema, taggedSchema } from '../stored.schema.js';
import { SeveralDocuments } from './several-documents.service.js';

const several = <T extends z.ZodType>(item: T) =>
  z
    .array(item)
    .min(1, 'name at least one document')
    .max(
      MAX_BATCH_DOCUMENTS,
      `at most ${MAX_BATCH_DOCUMENTS} documents are taken in one call; send the others in further calls`,
    );

const deleteBody = z.strictObject({
  paths: several(pathSchema).refine(
    (paths) => new Set(paths.map((one) => one.normalize('NFC'))).size === paths.length,
    'a document is named twice; name each once',
  ),
  trash: z.boolean().default(false),
});
const moveBody = z.strictObject({
  moves: several(pathsSchema),
  update_links: z.boolean().default(false),
});
const tagBody = z.strictObject({ documents: several(tagsOfSchema) });
const trashedBody = z.strictObject({ documents: several(inTrashSchema) });

const notMovedSchema = z.object({ from: z.string(), to: z.string(), error: errorSchema });
const answerOf = <T extends z.ZodType>(item: T) =>
  z.object({ documents: z.array(z.union([item, failedSchema])), done: z.int(), failed: z.int() });
const deletedSchema = answerOf(z.object({ path: z.string() }));
const moveAnswerSchema = z.object({
  documents: z.array(z.union([movedSchema, notMovedSchema])),
  done: z.int(),
  failed: z.int(),
  links_updated: z.array(z.string()),
});

const EACH =
  'Each document has its result in its place; one that is refused does not stop the others. The answer is 200 also where all are refused.';

/** Changes of several documents in one call, each like the call for a single one. */
@ApiTags('documents')
@Controller('v1/api/projects/:project_id')
export class SeveralDocumentsController {
  constructor(
    private readonly several: SeveralDocuments,
    private readonly moving: Moving,
  ) {}

  @Post('documents/delete')
  @HttpCode(200)
  @Audited('document.delete')
  @UseInterceptors(ReplayInterceptor)
  @Deadline('upload_ms')
  @ApiOperation({
    summary: 'Delete several documents; with `trash` they can be restored',
    description: EACH,
  })
  @TakesIdempotencyKey()
  @Answers(200, deletedSchema, 404, 422)
  async delete(
    @Param('project_id', { schema: idSchema }) projectId: string,
    @Body({ schema: deleteBody }) { paths, trash }: z.output<typeof deleteBody>,
    @Call() call: UserCall,
  ) {
    return counted(await this.several.delete(projectId, paths, trash, call));
  }

  @Post('documents/move')
  @HttpCode(200)
  @UseInterceptors(ReplayInterceptor)
  @Deadline('upload_ms')
  @ApiOperation({
    summary: 'Give several documents other paths, in one commit',
    description: `${EACH} Folders are moved by \`POST …/move\`.`,
  })
  @TakesIdempotencyKey()
  @Answers(200, moveAnswerSchema, 404, 410, 422, 507)
  async move(
    @Param('project_id', { schema: idSchema }) projectId: string,
    @Body({ schema: moveBody }) { moves, update_links }: z.output<typeof moveBody>,
    @Call() call: UserCall,
  ) {
    const composed = moves.map(({ from, to }) => ({ from: from.normalize('NFC'), to: to.normalize('NFC') }));
    if (!update_links) {
      return { ...counted(await this.moving.moveEach(projectId, composed, call)), links_updated: [] };
    }
    const { documents, links_updated } = await this.moving.moveEachWithLinks(projectId, composed, call);
    return { ...counted(documents), links_updated };
  }

  @Post('documents/tags')
  @HttpCode(200)
  @UseInterceptors(ReplayInterceptor)
  @ApiOperation({ summary: 'Set the tags of several documents', description: EACH })
  @TakesIdempotencyKey()
  @Answers(200, answerOf(taggedSchema), 404, 422)
  async tag(
    @Param('project_id', { schema: idSchema }) projectId: string,
    @Body({ schema: tagBody }) { documents }: z.output<typeof tagBody>,
    @Call() call: UserCall,
  ) {
    return counted(await this.several.setTags(projectId, documents, call));
  }

  @Post('documents/restore')
  @HttpCode(200)
  @UseInterceptors(ReplayInterceptor)
  @Deadline('upload_ms')
  @ApiOperation({
    summary: 'Put several documents from the trash back to their paths',
    description: `${EACH} Of several documents with one path the one deleted last, or the one with this version.`,
  })
  @TakesIdempotencyKey()
  @Answers(200, answerOf(storedSchema), 404, 410, 422)
  async restore(
    @Param('project_id', { schema: idSchema }) projectId: string,
    @Body({ schema: trashedBody }) { documents }: z.output<typeof trashedBody>,
    @Call() call: UserCall,
  ) {
    return counted(await this.several.restore(projectId, documents, call));
  }

  @Post('trash/delete')
  @HttpCode(200)
  @Audited('trash.empty')
  @UseInterceptors(ReplayInterceptor)
  @ApiOperation({
    summary: 'Remove several documents from the trash for good',
    description: 'Of each path all documents, or the one with this version. `removed` counts those that were there.',
  })
  @TakesIdempotencyKey()
  @Answers(200, filesystemContract.removeTrashed.response, 404, 422)
  removeTrashed(
    @Param('project_id', { schema: idSchema }) projectId: string,
    @Body({ schema: trashedBody }) { documents }: z.output<typeof trashedBody>,
    @Call() call: UserCall,
  ) {
    return this.several.removeTrashed(projectId, documents, call);
  }
}

function counted<T extends object>(documents: readonly T[]) {
  const failed = documents.filter((item) => 'error' in item).length;
  return { documents, done: documents.length - failed, failed };
}

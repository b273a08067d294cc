import { Body, Controller, HttpCode, Param, Post, UseInterceptors } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { pathFault } from '../../../contract/document-path.js';
import { movedSchema } from '../../../downstream/filesystem/filesystem.contract.js';
import { badRequest } from '../../../http/problem.js';
import { Call, Deadline, type UserCall } from '../../call/public-call.js';
import { ReplayInterceptor } from '../../edge/idempotency/replay.interceptor.js';
import { Answers, TakesIdempotencyKey } from '../../edge/openapi.js';
import { idSchema } from '../../edge/schemas.js';
import { pathsSchema } from '../request.schemas.js';
import { Moving } from './moving.service.js';

/** `update_links`: change the Markdown and wiki links of all documents that point to the old paths. */
const moveBody = pathsSchema.extend({ update_links: z.boolean().default(false) });
const copiedSchema = z.object({ moved: z.array(movedSchema) });
const answerSchema = copiedSchema.extend({
  /** The documents that got a new version because their links were changed. */
  links_updated: z.array(z.string()),
});
const DESCRIPTION =
  'A path that ends with `/` is a folder with all documents in it; then the other path is a folder, too. All documents or none. They keep their originals and warnings, and get one new version.';

@ApiTags('documents')
@Controller('v1/api/projects/:project_id')
export class MovingController {
  constructor(private readonly moving: Moving) {}

  @Post('move')
  @HttpCode(200)
  @UseInterceptors(ReplayInterceptor)
  @Deadline('upload_ms')
  @ApiOperation({ summary: 'Give a document or a folder another path; its history goes on', description: DESCRIPTION })
  @TakesIdempotencyKey()
  @Answers(200, answerSchema, 404, 409, 410, 413, 422, 507)
  async move(
    @Param('project_id', { schema: idSchema }) projectId: string,
    @Body({ schema: moveBody }) { update_links, ...body }: z.output<typeof moveBody>,
    @Call() call: UserCall,
  ) {
    const paths = checkedPaths(body);
    if (update_links) return this.moving.moveWithLinks(projectId, paths, call);
    return { moved: await this.moving.move(projectId, { ...paths, copy: false }, call), links_updated: [] };
  }

  @Post('copy')
  @HttpCode(200)
  @UseInterceptors(ReplayInterceptor)
  @Deadline('upload_ms')
  @ApiOperation({
    summary: 'Copy a document or a folder; the history of a copy begins with it',
    description: DESCRIPTION,
  })
  @TakesIdempotencyKey()
  @Answers(200, copiedSchema, 404, 409, 410, 413, 422, 507)
  async copy(
    @Param('project_id', { schema: idSchema }) projectId: string,
    @Body({ schema: pathsSchema }) body: z.output<typeof pathsSchema>,
    @Call() call: UserCall,
  ) {
    return { moved: await this.moving.move(projectId, { ...checkedPaths(body), copy: true }, call) };
  }
}

const checkedPaths = ({ from, to }: z.output<typeof pathsSchema>) => ({
  from: checked('from', from),
  to: checked('to', to),
});

/** As for uploads: composed characters, and an error that names the rule. A folder ends with `/`. */
function checked(name: string, given: string): string {
  const composed = given.normalize('NFC');
  const fault = pathFault(composed.replace(/\/$/, ''));
  if (fault === undefined) return composed;
  throw badRequest('invalid_path', `${name}: ${JSON.stringify(composed.slice(0, 300))}: ${fault}`);
}

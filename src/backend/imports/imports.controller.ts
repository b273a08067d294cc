import { Body, Controller, Get, HttpCode, Param, Post, UseInterceptors } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { ReplayInterceptor } from '../edge/idempotency/replay.interceptor.js';
import { Answers, TakesIdempotencyKey } from '../edge/openapi.js';
import { ProjectAccess } from '../projects/project-access.service.js';
import { idSchema } from '../edge/schemas.js';
import { Call, type UserCall } from '../call/public-call.js';
import { importSchema } from './import.store.js';
import { Imports } from './imports.service.js';

const importBody = z.strictObject({
  source: z.string().trim().min(1).max(2000),
  branch: z.string().trim().min(1).max(200).optional(),
});

@ApiTags('history')
@Controller('v1/api/projects/:project_id/import')
export class ImportsController {
  constructor(
    private readonly imports: Imports,
    private readonly access: ProjectAccess,
  ) {}

  @Post()
  @HttpCode(202)
  @UseInterceptors(ReplayInterceptor)
  @TakesIdempotencyKey()
  @ApiOperation({
    summary: 'Import a repository with its history: a path or an https:// URL that the operator has allowed',
  })
  @Answers(202, importSchema, 403, 404, 410, 422, 507)
  async start(
    @Param('project_id', { schema: idSchema }) projectId: string,
    @Body({ schema: importBody }) body: z.output<typeof importBody>,
    @Call() call: UserCall,
  ) {
    await this.access.require(projectId, call);
    return this.imports.start(projectId, body, call);
  }

  @Get(':import_id')
  @ApiOperation({ summary: 'How far an import is' })
  @Answers(200, importSchema, 404)
  async get(
    @Param('project_id', { schema: idSchema }) projectId: string,
    @Param('import_id', { schema: idSchema }) importId: string,
    @Call() call: UserCall,
  ) {
    await this.access.require(projectId, call);
    return this.imports.get(projectId, importId, call);
  }
}

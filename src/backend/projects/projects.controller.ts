import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query, UseInterceptors } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { projectSchema } from '../../downstream/filesystem/filesystem.contract.js';
import { ReplayInterceptor } from '../edge/idempotency/replay.interceptor.js';
import { Answers, TakesIdempotencyKey } from '../edge/openapi.js';
import { SharedReadsInterceptor } from '../edge/reads/shared-reads.interceptor.js';
import { idSchema, pageSchema, type Page } from '../edge/schemas.js';
import { Audited } from '../audit/audited.decorator.js';
import { Call, type UserCall } from '../call/public-call.js';
import { ListsProjects } from '../call/key-scopes.js';
import { ProjectsService } from './projects.service.js';

const newProject = z.strictObject({ name: z.string().trim().min(1).max(200) });

const projectChange = z
  .strictObject({
    name: z.string().trim().min(1).max(200).optional(),
    /** Instructions for the model before every question about this project; empty: none. */
    instructions: z
      .string()
      .max(8000)
      .refine((text) => text.isWellFormed() && !text.includes('\0'), 'this is not valid text')
      .optional(),
  })
  .refine(({ name, instructions }) => name !== undefined || instructions !== undefined, {
    path: ['name'],
    error: 'a name or instructions are needed',
  });

@ApiTags('projects')
@UseInterceptors(SharedReadsInterceptor)
@Controller('v1/api/projects')
export class ProjectsController {
  constructor(private readonly projects: ProjectsService) {}

  @Post()
  @UseInterceptors(ReplayInterceptor)
  @TakesIdempotencyKey()
  @ApiOperation({ summary: 'Make a project' })
  @Answers(201, projectSchema, 410, 422, 507)
  create(@Body({ schema: newProject }) body: z.output<typeof newProject>, @Call() call: UserCall) {
    return this.projects.create(body.name, call);
  }

  @Get()
  @ListsProjects()
  @ApiOperation({ summary: 'Your projects' })
  @Answers(200, z.object({ projects: z.array(projectSchema), total: z.int() }))
  list(@Query({ schema: pageSchema }) page: Page, @Call() call: UserCall) {
    return this.projects.list(page, call);
  }

  @Get(':project_id')
  @ApiOperation({ summary: 'One project' })
  @Answers(200, projectSchema, 404)
  get(@Param('project_id', { schema: idSchema }) projectId: string, @Call() call: UserCall) {
    return this.projects.get(projectId, call);
  }

  @Patch(':project_id')
  @ApiOperation({ summary: 'Rename a project, or say what a model is told before every question about it' })
  @Answers(200, projectSchema, 404, 410)
  update(
    @Param('project_id', { schema: idSchema }) projectId: string,
    @Body({ schema: projectChange }) change: z.output<typeof projectChange>,
    @Call() call: UserCall,
  ) {
    return this.projects.update(projectId, change, call);
  }

  @Delete(':project_id')
  @HttpCode(204)
  @Audited('project.delete')
  @ApiOperation({ summary: 'Delete a project with its documents, its index, its history and its conversations' })
  @Answers(204, null, 404)
  delete(@Param('project_id', { schema: idSchema }) projectId: string, @Call() call: UserCall) {
    return this.projects.delete(projectId, call);
  }
}

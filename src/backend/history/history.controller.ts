import { Body, Controller, Get, HttpCode, Param, Post, Query, UseInterceptors } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { HistoryCopies } from '../copies/copies.module.js';
import { GitClient } from '../../downstream/git/git.client.js';
import { gitContract, versionSchema } from '../../downstream/git/git.contract.js';
import { notFound, Problem } from '../../http/problem.js';
import { DownstreamError } from '../../resilience/policy/downstream-error.js';
import { DocumentSync } from '../documents/document-sync.service.js';
import { DocumentsService } from '../documents/documents.service.js';
import { storedSchema } from '../documents/stored.schema.js';
import { mediaTypeOf } from '../../text/media-type.js';
import { ReplayInterceptor } from '../edge/idempotency/replay.interceptor.js';
import { Answers } from '../edge/openapi.js';
import { ProjectAccess } from '../projects/project-access.service.js';
import { idSchema, pageSchema } from '../edge/schemas.js';
import { Call, type UserCall } from '../call/public-call.js';

const path = z.string().min(1).max(255);
const time = z.iso.datetime({ error: 'a time in UTC is needed, like 2026-11-23T00:00:00Z' });
const historyQuery = pageSchema.extend({
  path: path.optional(),
  since: time.optional(),
  until: time.optional(),
  text: z.string().max(1000).optional(),
});
const diffQuery = z.strictObject({ path, from: idSchema, to: idSchema });
const blameQuery = z.strictObject({ path, version: idSchema.optional() });
const restoreBody = z.strictObject({ path, version: idSchema });
const graphQuery = z.strictObject({ limit: z.coerce.number().int().min(1).max(5000).default(1000) });
const relatedQuery = z.strictObject({ path, limit: z.coerce.number().int().min(1).max(100).default(10) });

/** The history and the graph of a project, from the git server. */
@ApiTags('history')
@Controller('v1/api/projects/:project_id')
export class HistoryController {
  constructor(
    private readonly git: GitClient,
    private readonly histories: HistoryCopies,
    private readonly documents: DocumentsService,
    private readonly access: ProjectAccess,
    private readonly sync: DocumentSync,
  ) {}

  @Get('history')
  @ApiOperation({ summary: 'Who changed what and when: one document, or the whole project; newest first' })
  @Answers(200, z.object({ versions: z.array(versionSchema), total: z.int() }), 404)
  async history(
    @Param('project_id', { schema: idSchema }) project_id: string,
    @Query({ schema: historyQuery }) query: z.output<typeof historyQuery>,
    @Call() call: UserCall,
  ) {
    await this.ready(project_id, query.path, call);
    return this.git.history({ params: { project_id }, query }, await this.histories.of(project_id, call));
  }

  @Get('diff')
  @ApiOperation({ summary: 'What changed in a document between two versions: a unified diff' })
  @Answers(200, gitContract.diff.response, 404)
  async diff(
    @Param('project_id', { schema: idSchema }) project_id: string,
    @Query({ schema: diffQuery }) query: z.output<typeof diffQuery>,
    @Call() call: UserCall,
  ) {
    await this.ready(project_id, query.path, call);
    return this.git.diff({ params: { project_id }, query }, await this.histories.of(project_id, call));
  }

  @Get('blame')
  @ApiOperation({ summary: 'Who last changed each line of a document' })
  @Answers(200, gitContract.blame.response, 404)
  async blame(
    @Param('project_id', { schema: idSchema }) project_id: string,
    @Query({ schema: blameQuery }) query: z.output<typeof blameQuery>,
    @Call() call: UserCall,
  ) {
    await this.ready(project_id, query.path, call);
    return this.git.blame({ params: { project_id }, query }, await this.histories.of(project_id, call));
  }

  @Post('restore')
  @HttpCode(200)
  @UseInterceptors(ReplayInterceptor)
  @ApiOperation({ summary: 'Make the text of an earlier version the current one: a new version of its own' })
  @Answers(200, storedSchema, 404, 410, 422, 507)
  async restore(
    @Param('project_id', { schema: idSchema }) project_id: string,
    @Body({ schema: restoreBody }) { path, version }: z.output<typeof restoreBody>,
    @Call() call: UserCall,
  ) {
    await this.ready(project_id, path, call);
    const own = await this.histories.of(project_id, call);
    const past = await this.git.textAt({ params: { project_id }, query: { path, version } }, own);
    if (past.text === null)
      throw notFound(`version: the document was deleted at ${JSON.stringify(version)}, so it has no text there.`);
    const media_type = mediaTypeOf(path);
    return (await this.documents.put(project_id, path, { media_type, text: past.text }, undefined, call)).document;
  }

  @Get('graph')
  @ApiOperation({ summary: 'Documents, headings, people, commits and terms of a project, and what joins them' })
  @Answers(200, gitContract.graph.response, 404)
  async graph(
    @Param('project_id', { schema: idSchema }) project_id: string,
    @Query({ schema: graphQuery }) query: z.output<typeof graphQuery>,
    @Call() call: UserCall,
  ) {
    await this.ready(project_id, undefined, call);
    return this.git
      .graph({ params: { project_id }, query }, await this.histories.of(project_id, call))
      .catch(graphAway);
  }

  @Get('related')
  @ApiOperation({ summary: 'Documents that belong with this one, and why' })
  @Answers(200, gitContract.related.response, 404)
  async related(
    @Param('project_id', { schema: idSchema }) project_id: string,
    @Query({ schema: relatedQuery }) query: z.output<typeof relatedQuery>,
    @Call() call: UserCall,
  ) {
    await this.ready(project_id, query.path, call);
    const own = await this.histories.of(project_id, call);
    return this.git.related({ params: { project_id }, query }, own).catch(graphAway);
  }

  private async ready(projectId: string, path: string | undefined, call: UserCall): Promise<void> {
    await this.access.require(projectId, call);
    await this.sync.committed(call.userId, projectId, path);
  }
}

function graphAway(error: unknown): never {
  if (!(error instanceof DownstreamError) || error.problem?.code !== 'graph_away') throw error;
  throw new Problem({ status: 503, code: 'graph_away', detail: 'The graph is away; history is not.', retryAfter: 5 });
}

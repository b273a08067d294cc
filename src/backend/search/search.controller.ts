import { Body, Controller, Get, HttpCode, Post, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { InjectConfig } from '../../config/config.module.js';
import type { Config } from '../../config/config.schema.js';
import { correctionSchema, passageSchema } from '../../contract/passage.contract.js';
import { scopeSchema } from '../../contract/scope.contract.js';
import { Problem } from '../../http/problem.js';
import { InFlight } from '../../resilience/policy/in-flight.js';
import { ServiceRegistry } from '../../resilience/service-registry.js';
import { Degradation, degradationSchema } from '../call/degradation.js';
import { AnswerCounts } from '../edge/answer-counts.service.js';
import { Answers } from '../edge/openapi.js';
import { waitAtMost } from '../call/waiting.js';
import { ProjectAccess } from '../projects/project-access.service.js';
import { idSchema } from '../edge/schemas.js';
import { NeedsScope } from '../call/key-scopes.js';
import { Call, type UserCall } from '../call/public-call.js';
import { Retrieval } from './retrieval.service.js';

const MAX_QUERY_CHARS = 8192;

const query = z
  .string()
  .max(MAX_QUERY_CHARS)
  .refine((text) => text.trim() !== '', 'a query needs at least one word')
  .refine((text) => text.isWellFormed() && !text.includes('\0'), 'this is not valid text');
const mode = z.enum(['hybrid', 'vector', 'fulltext']).default('hybrid');
const bodySchema = z.strictObject({
  query,
  project_id: idSchema,
  limit: z.int().min(1).optional(),
  offset: z.int().min(0).max(1_000_000).default(0),
  mode,
  scope: scopeSchema.optional(),
  /** Whether each result carries the reasons why it was found. */
  explain: z.boolean().default(false),
});
type SearchBody = z.output<typeof bodySchema>;
const querySchema = z.strictObject({
  q: query,
  project_id: idSchema,
  limit: z.coerce.number().int().min(1).optional(),
  offset: z.coerce.number().int().min(0).max(1_000_000).default(0),
  mode,
  explain: z
    .enum(['true', 'false'])
    .default('false')
    .transform((text) => text === 'true'),
});

const answerSchema = z
  .object({
    results: z.array(passageSchema),
    total: z.int(),
    source: z.enum(['hybrid', 'vector', 'fulltext', 'cache', 'none']),
    outcome: z.enum(['found', 'no_match', 'empty_project', 'unavailable']),
    /** Words that no passage holds, with their replacements; absent where there are none. */
    corrections: z.array(correctionSchema).optional(),
    degraded: z.boolean(),
    degradation: degradationSchema,
  })
  .meta({ title: 'SearchAnswer' });

@ApiTags('search')
@Controller('v1/api/search')
export class SearchController {
  private readonly inFlight = new InFlight();

  constructor(
    @InjectConfig() private readonly config: Config,
    private readonly retrieval: Retrieval,
    private readonly access: ProjectAccess,
    private readonly services: ServiceRegistry,
    private readonly counts: AnswerCounts,
  ) {}

  @Post()
  @NeedsScope('read')
  @HttpCode(200)
  @ApiOperation({ summary: 'Find passages in the documents of a project' })
  @Answers(200, answerSchema, 404)
  post(@Body({ schema: bodySchema }) body: z.output<typeof bodySchema>, @Call() call: UserCall) {
    return this.search(body, call);
  }

  @Get()
  @ApiOperation({ summary: 'The same by address' })
  @Answers(200, answerSchema, 404)
  get(@Query({ schema: querySchema }) { q, ...rest }: z.output<typeof querySchema>, @Call() call: UserCall) {
    return this.search({ query: q, ...rest }, call);
  }

  private async search(body: SearchBody, call: UserCall): Promise<z.output<typeof answerSchema>> {
    const answer = await this.answered(body, call);
    this.counts.add('search', answer.outcome === 'unavailable' ? 'failed' : answer.degraded ? 'degraded' : 'complete');
    return answer;
  }

  private async answered(body: SearchBody, call: UserCall): Promise<z.output<typeof answerSchema>> {
    const { default_limit, max_limit } = this.config.search;
    const limit = body.limit ?? default_limit;
    if (limit > max_limit) {
      throw new Problem({
        status: 400,
        code: 'invalid_request',
        detail: `limit: ${limit} is too many; ${max_limit} at most`,
      });
    }
    // A caller with little time sets a deadline of its own. No caller waits behind the probe of a breaker.
    const healthy = this.services.get('chroma')?.state === 'closed';
    if (call.hasOwnDeadline || !healthy) return this.answer(body, limit, call);
    const key = { userId: call.userId, projectId: body.project_id, what: JSON.stringify(body) };
    const shared = await this.inFlight.share(key, call.signal, (signal) =>
      this.answer(body, limit, { ...call, signal, degradation: new Degradation() }),
    );
    const degradation = [...call.degradation.list, ...shared.degradation];
    return { ...shared, degraded: degradation.length > 0, degradation };
  }

  private async answer(body: SearchBody, limit: number, call: UserCall): Promise<z.output<typeof answerSchema>> {
    const checking = this.access.require(body.project_id, call);
    const retrieving = this.retrieval.retrieve(
      {
        projectId: body.project_id,
        query: body.query,
        limit,
        offset: body.offset,
        mode: body.mode,
        scope: body.scope,
        explain: body.explain,
        budgetMs: this.config.search.context_budget_ms,
      },
      call,
      checking,
    );
    retrieving.catch(() => undefined);
    await waitAtMost(checking, retrieving, this.config.patience.project_ms);
    const { results, total, source, outcome, corrections } = await retrieving;
    const { degraded, list: degradation } = call.degradation;
    const corrected = corrections === undefined ? {} : { corrections };
    return { results, total, source, outcome, ...corrected, degraded, degradation };
  }
}

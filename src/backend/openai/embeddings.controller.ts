import { Body, Controller, Headers, HttpCode, Post } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { ChromaClient } from '../../downstream/chroma/chroma.client.js';
import { MAX_EMBEDDED_TEXTS } from '../../downstream/chroma/chroma.contract.js';
import { Problem } from '../../http/problem.js';
import { NeedsScope } from '../call/key-scopes.js';
import { Call, Deadline, type UserCall } from '../call/public-call.js';
import { estimateTokens } from '../chat/token-counter.js';
import { ProjectAccess } from '../projects/project-access.service.js';
import {
  type EmbeddingsRequest,
  embeddingsRequestSchema,
  embeddingsSchema,
  encoded,
  textsOf,
} from './embeddings.schema.js';
import { MODEL, noModel, projectOf, unsupported } from './model-name.js';
import { OpenAiAnswers } from './openai-error.js';

const RETRY_AFTER_S = 5;
const OURS = new RegExp(`^${MODEL}(:|$)`);

interface Embedded {
  embedder: string;
  pretrained: boolean;
  vectors: number[][];
}

/** The embedder that Caudex uses for search, for programs with vector stores of their own. */
@ApiTags('openai')
@Controller('v1/embeddings')
export class EmbeddingsController {
  constructor(
    private readonly chroma: ChromaClient,
    private readonly access: ProjectAccess,
  ) {}

  @Post()
  @NeedsScope('read')
  @Deadline('upload_ms')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Vectors of texts; the model is `caudex`, `caudex:<project_id>` or the name of the embedder',
  })
  @OpenAiAnswers(embeddingsSchema, 403, 404)
  async embed(
    @Body({ schema: embeddingsRequestSchema }) body: EmbeddingsRequest,
    @Headers('x-caudex-project') projectHeader: string | undefined,
    @Call() call: UserCall,
  ) {
    const isOurs = OURS.test(body.model);
    const project = isOurs ? projectOf(body.model, projectHeader) : undefined;
    if (project !== undefined) await this.access.require(project, call);
    const texts = await textsOf(body);
    const { embedder, pretrained, vectors } = await this.vectors(texts, body, call);
    const tokens = texts.reduce((sum, text) => sum + estimateTokens(text), 0);
    return {
      object: 'list' as const,
      data: vectors.map((vector, index) => ({
        object: 'embedding' as const,
        index,
        embedding: encoded(vector, body.encoding_format),
      })),
      model: embedder,
      usage: { prompt_tokens: tokens, total_tokens: tokens },
      caudex: { pretrained, dimensions: vectors[0]?.length ?? 0 },
    };
  }

  /** Several calls of a few texts each, so that a long list never takes longer than the limit of one attempt. */
  private async vectors(texts: readonly string[], { model, dimensions }: EmbeddingsRequest, call: UserCall) {
    const found: Embedded = { embedder: '', pretrained: false, vectors: [] };
    for (let at = 0; at < texts.length; at += MAX_EMBEDDED_TEXTS) {
      const body = { texts: texts.slice(at, at + MAX_EMBEDDED_TEXTS) };
      const { not_embedded, ...answer } = await this.chroma.embed({ body }, call);
      if (not_embedded !== undefined) throw unavailable(not_embedded);
      if (at === 0) {
        requireModel(model, answer);
        requireDimensions(dimensions, answer);
      }
      found.vectors.push(...answer.vectors);
      Object.assign(found, { embedder: answer.embedder, pretrained: answer.pretrained });
    }
    return found;
  }
}

function requireModel(model: string, { embedder }: Embedded): void {
  if (OURS.test(model) || model === embedder) return;
  const names = [MODEL, `${MODEL}:<project_id>`, embedder].map((name) => JSON.stringify(name)).join(', ');
  throw noModel(`model: ${JSON.stringify(model)} is no embedder here; ${names} are`);
}

/** Only few models allow a vector to be truncated. */
function requireDimensions(wanted: number | null | undefined, { embedder, vectors }: Embedded): void {
  const length = vectors[0]?.length ?? 0;
  if (wanted === null || wanted === undefined || wanted === length) return;
  throw unsupported(
    'dimensions',
    `dimensions: ${wanted} cannot be had; the vectors of ${JSON.stringify(embedder)} have ${length}`,
  );
}

const unavailable = (reason: string) =>
  new Problem({
    status: 503,
    code: 'embedder_unavailable',
    detail: `The embedder gave no vectors (${reason}); try again in ${RETRY_AFTER_S} s.`,
    retryAfter: RETRY_AFTER_S,
  });

import { applyDecorators } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { ApiHeader, ApiResponse, DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { z } from 'zod';
import { nameShapes } from './openapi-components.js';

type OperationObject = NonNullable<OpenAPIObject['paths'][string]['get']>;

export const problemSchema = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    code: z.string(),
    detail: z.string(),
    request_id: z.string(),
    retry_after: z.int().optional(),
    errors: z.array(z.object({ path: z.string(), detail: z.string() }).meta({ title: 'Fault' })).optional(),
  })
  .meta({ title: 'Problem' });

const MEANINGS: Record<number, string> = {
  400: 'The request is malformed; `errors` names each value.',
  401: 'No token, or one that is not good.',
  402: 'Out of credits.',
  403: 'Not allowed.',
  404: 'It does not exist, or belongs to somebody else.',
  408: 'The request came too slowly.',
  409: 'It exists already.',
  410: 'It was deleted; its id is not used again.',
  412: 'The version is not the one expected.',
  413: 'Too large.',
  415: 'A media type that is not taken.',
  416: 'The part that is asked for is not in the document.',
  422: 'Understood, and refused: `detail` says why.',
  429: 'Too many requests; `Retry-After` says when to come back.',
  431: 'The address and the headers are too long.',
  502: 'A service behind this one failed.',
  503: 'A service that this cannot do without is away; `Retry-After` says when to come back.',
  504: 'A service behind this one took too long.',
  507: 'There is no room left to store it.',
};
/** The problems that any call may answer. */
const ALWAYS = [400, 401, 403, 408, 413, 429, 431, 502, 503, 504];

const WITH_RETRY_AFTER: ReadonlySet<number> = new Set([429, 503]);
const RETRY_AFTER = {
  'Retry-After': { description: 'When to come back, in seconds', schema: { type: 'integer' as const } },
};

/** Documents the request header that makes a repetition safe; see the ReplayInterceptor. */
export const TakesIdempotencyKey = () =>
  ApiHeader({
    name: 'Idempotency-Key',
    required: false,
    description: 'A repeated key is answered as the first time',
    schema: { type: 'string', minLength: 1, maxLength: 255 },
  });

/** Documents an optional request header. */
export const TakesHeader = (name: string, description: string) =>
  ApiHeader({ name, required: false, description, schema: { type: 'string' } });

/** Documents a handler's success and its problems, in addition to those of every call. */
export function Answers(status: number, schema: z.ZodType | null, ...problems: number[]): MethodDecorator {
  return answersWith({ 'application/problem+json': problemSchema }, status, schema, problems);
}

/** Documents problems of another shape; `shapes`: the schema for each media type. */
export function answersWith(
  shapes: Record<string, z.ZodType>,
  status: number,
  schema: z.ZodType | null,
  problems: readonly number[],
): MethodDecorator {
  const content: Record<string, { schema: Record<string, unknown> }> = {};
  for (const [type, shape] of Object.entries(shapes)) {
    content[type] = { schema: z.toJSONSchema(shape, { target: 'openapi-3.0' }) };
  }
  const refusals = new Set([...ALWAYS, ...problems]);
  return applyDecorators(
    ApiResponse({ status, description: 'Success', ...(schema === null ? {} : { standardSchema: schema }) }),
    ...[...refusals].map((problem) =>
      ApiResponse({
        status: problem,
        description: MEANINGS[problem] ?? 'Refused',
        content,
        ...(WITH_RETRY_AFTER.has(problem) ? { headers: RETRY_AFTER } : {}),
      }),
    ),
  );
}

/** The OpenAPI document of the public API. The {@link app} needs no running services for it. */
export function createApiDocument(app: NestFastifyApplication): OpenAPIObject {
  const base = new DocumentBuilder()
    .setTitle('Caudex')
    .setDescription('Chat and search over your own documents.')
    .setVersion('1')
    .addBearerAuth()
    .addCookieAuth('auth_token')
    .addServer('/', 'The server that this document comes from')
    .build();
  return describeApi(SwaggerModule.createDocument(app, base));
}

/**
 * Corrects what decorators cannot express: the wildcard's name, the required authentication, and that a text has no
 * fields.
 */
function describeApi(document: OpenAPIObject): OpenAPIObject {
  document.security = [{ bearer: [] }, { cookie: [] }];
  // Every process has these probes, and only this one has OpenAPI.
  for (const probe of ['/health/live', '/health/ready']) delete document.paths[probe];
  for (const path of Object.values(document.paths)) {
    for (const operation of Object.values(path) as OperationObject[]) {
      for (const parameter of operation.parameters ?? []) {
        if ('name' in parameter && parameter.name === '*') parameter.name = 'path';
      }
      for (const answer of Object.values(operation.responses)) {
        if (answer !== undefined && 'content' in answer) describeTexts(answer.content ?? {});
      }
    }
  }
  nameShapes(document);
  return document;
}

type Content = Record<string, { schema?: unknown }>;
const BINARY = { type: 'string', format: 'binary' };

function describeTexts(content: Content): void {
  for (const [type, media] of Object.entries(content)) {
    // Consumers of the document disagree on whether a schema describes the stream or each of its events.
    if (type === 'text/event-stream') delete media.schema;
    else if (type.startsWith('text/')) media.schema = { type: 'string' };
    if (type !== '*/*') continue;
    // The schema that Nest generates for application/octet-stream.
    delete content[type];
    content['application/octet-stream'] = { schema: BINARY };
  }
}

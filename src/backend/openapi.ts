import { applyDecorators } from '@nestjs/common';
import { ApiResponse } from '@nestjs/swagger';
import { z } from 'zod';

export const problemSchema = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  code: z.string(),
  detail: z.string(),
  request_id: z.string(),
  retry_after: z.int().optional(),
  errors: z.array(z.object({ path: z.string(), detail: z.string() })).optional(),
});

const MEANINGS: Record<number, string> = {
  400: 'The request is malformed; `errors` names each value.',
  401: 'No token, or one that is not good.',
  402: 'Out of credits.',
  403: 'Not allowed.',
  404: 'It does not exist, or belongs to somebody else.',
  409: 'It exists already.',
  412: 'The version is not the one expected.',
  413: 'Too large.',
  415: 'A media type that is not taken.',
  422: 'Understood, and refused: `detail` says why.',
  429: 'Too many requests; `Retry-After` says when to come back.',
  502: 'A service behind this one failed.',
  503: 'A service that this cannot do without is away; `Retry-After` says when to come back.',
  504: 'A service behind this one took too long.',
};
/** What any call may answer. */
const ALWAYS = [400, 401, 429, 502, 503, 504];

/** Documents a handler's success and the problems it may answer with beside those that any call has. */
export function Answers(status: number, schema: z.ZodType | null, ...problems: number[]): MethodDecorator {
  return applyDecorators(
    ApiResponse({ status, description: 'Success', ...(schema === null ? {} : { standardSchema: schema }) }),
    ...[...ALWAYS, ...problems].map((problem) =>
      ApiResponse({
        status: problem,
        description: MEANINGS[problem] ?? 'Refused',
        content: { 'application/problem+json': { schema: PROBLEM } },
      }),
    ),
  );
}

const PROBLEM = z.toJSONSchema(problemSchema, { target: 'openapi-3.0' }) as Record<string, unknown>;

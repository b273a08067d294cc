import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { answersWith } from '../edge/openapi.js';
import type { ProblemDetails } from '../../http/problem.js';

const errorSchema = z
  .object({
    error: z.object({ message: z.string(), type: z.string(), param: z.string().nullable(), code: z.string() }),
  })
  .meta({ title: 'OpenAiError' });

/** Documents a handler whose errors have the shape of the OpenAI API. */
export const OpenAiAnswers = (schema: z.ZodType, ...problems: number[]) =>
  answersWith({ 'application/json': errorSchema }, 200, schema, problems);

/** Whether a path is one of the OpenAI API, also one that does not exist here. Ours are below `/v1/api`. */
export function isOpenAiPath(url: string): boolean {
  return /^\/v1(?!\/api(?:[/?]|$))(?:[/?]|$)/.test(url);
}

export function writeOpenAiError(reply: FastifyReply, problem: ProblemDetails): void {
  const { status, retryAfter } = problem;
  if (retryAfter !== undefined) void reply.header('retry-after', String(retryAfter));
  if (status === 401) void reply.header('www-authenticate', 'Bearer');
  void reply
    .status(status)
    .header('content-type', 'application/json; charset=utf-8')
    .send(JSON.stringify(openAiError(problem)));
}

/** The body of an error, and the event in a stream. */
export function openAiError({ status, code, detail, errors }: ProblemDetails) {
  return { error: { message: detail, type: typeOf(status), param: errors?.[0]?.path ?? null, code } };
}

function typeOf(status: number): string {
  if (status === 401) return 'authentication_error';
  if (status === 429) return 'rate_limit_error';
  return status < 500 ? 'invalid_request_error' : 'server_error';
}

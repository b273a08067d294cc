import { type ArgumentsHost, Catch, type ExceptionFilter } from '@nestjs/common';
import type { FastifyContextConfig, FastifyReply, FastifyRequest } from 'fastify';
import { PinoLogger } from 'nestjs-pino';
import { z } from 'zod';
import { answersWith, problemSchema } from '../edge/openapi.js';
import type { ProblemDetails } from '../../http/problem.js';
import { toProblem } from '../../http/problem.filter.js';

const errorSchema = z
  .object({
    error: z.object({ message: z.string(), type: z.string(), param: z.string().nullable(), code: z.string() }),
  })
  .meta({ title: 'OpenAiError' });

/**
 * Documents a handler under the {@link OpenAiErrorFilter}. Errors before the handler are problems, as in all other
 * routes.
 */
export const OpenAiAnswers = (schema: z.ZodType, ...problems: number[]) =>
  answersWith({ 'application/json': errorSchema, 'application/problem+json': problemSchema }, 200, schema, problems);

/** Converts errors to the shape of the OpenAI API. */
@Catch()
export class OpenAiErrorFilter implements ExceptionFilter {
  constructor(private readonly log: PinoLogger) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const reply = http.getResponse<FastifyReply>();
    const problem = toProblem(error);
    if (problem.code === 'internal_error') {
      this.log.error({ err: error, request_id: http.getRequest<FastifyRequest>().id }, 'A completion failed');
    }
    writeOpenAiError(reply, problem);
  }
}

export function writeOpenAiError(
  reply: FastifyReply,
  { status, code, detail, retryAfter, errors }: ProblemDetails,
): void {
  if (retryAfter !== undefined) void reply.header('retry-after', String(retryAfter));
  const type =
    status === 401
      ? 'authentication_error'
      : status === 429
        ? 'rate_limit_error'
        : status < 500
          ? 'invalid_request_error'
          : 'server_error';
  void reply
    .status(status)
    .header('content-type', 'application/json; charset=utf-8')
    .send(JSON.stringify({ error: { message: detail, type, param: errors?.[0]?.path ?? null, code } }));
}

/** The same for errors before a handler: for `RouteConfig`. */
export const ERRORS: FastifyContextConfig = { writeProblem: writeOpenAiError };

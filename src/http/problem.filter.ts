import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { PinoLogger } from 'nestjs-pino';
import { isStorageBusy, isStorageFull, StorageUnavailable, UnstorableText } from '../storage/storage-errors.js';
import { HEADER } from '../contract/endpoint.js';
import { DownstreamError } from '../resilience/policy/downstream-error.js';
import { GuardError } from '../resilience/policy/guarded.js';
import { Problem, type ProblemDetails } from './problem.js';

/** The only place where an error becomes an HTTP answer. No stack trace and no internal message gets into it. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(private readonly log: PinoLogger) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const reply = http.getResponse<FastifyReply>();
    const problem = toProblem(error);
    if (request.raw.destroyed && !request.raw.complete) {
      this.log.debug({ request_id: request.id }, 'A client went away in the middle of its request');
    } else if (problem.status >= 500 && !(error instanceof DownstreamError) && !(error instanceof Problem)) {
      this.log.error(
        { err: error, request_id: request.id },
        `${request.method} ${request.routeOptions.url ?? ''} failed`,
      );
    }
    if (reply.sent || reply.raw.headersSent) {
      reply.raw.destroy();
      return;
    }
    // The resilient client has retried already; more attempts would only add load.
    if (error instanceof DownstreamError && problem.status >= 500) void reply.header(HEADER.doNotRetry, '1');
    writeProblem(reply, problem);
  }
}

export type ProblemWriter = (reply: FastifyReply, problem: ProblemDetails) => void;

declare module 'fastify' {
  interface FastifyInstance {
    /** The format of a request's errors, where it is not problem+json. */
    problemWriter?: (request: FastifyRequest) => ProblemWriter | undefined;
  }
}

/** Answers with an error in the format of the request. */
export function writeProblem(reply: FastifyReply, problem: ProblemDetails): void {
  const write = reply.server.problemWriter?.(reply.request) ?? writeProblemJson;
  write(reply, problem);
}

function writeProblemJson(reply: FastifyReply, problem: ProblemDetails): void {
  if (problem.retryAfter !== undefined) void reply.header('retry-after', String(problem.retryAfter));
  if (problem.status === 401) void reply.header('www-authenticate', 'Bearer');
  void reply
    .status(problem.status)
    .header('content-type', 'application/problem+json; charset=utf-8')
    .send(JSON.stringify(problemBody(problem, reply.request.id)));
}

export function problemBody(problem: ProblemDetails, requestId: string): Record<string, unknown> {
  const { status, code, detail, retryAfter, errors } = problem;
  return {
    type: 'about:blank',
    title: TITLES[status] ?? 'Error',
    status,
    code,
    detail,
    request_id: requestId,
    ...(retryAfter === undefined ? {} : { retry_after: retryAfter }),
    ...(errors === undefined ? {} : { errors }),
  };
}

const DOWNSTREAM_STATUS = {
  unreachable: 503,
  circuit_open: 503,
  saturated: 503,
  timeout: 504,
  deadline: 504,
  cancelled: 499,
  fault: 502,
  protocol: 502,
} as const;

export function toProblem(error: unknown): ProblemDetails {
  if (error instanceof Problem) return error.problem;
  if (error instanceof DownstreamError) return fromDownstream(error);
  if (error instanceof GuardError) return fromGuard(error);
  if (isStorageFull(error)) {
    return { status: 507, code: 'storage_full', detail: 'There is no room left to store this; nothing was changed.' };
  }
  if (error instanceof StorageUnavailable) {
    return { status: 503, code: 'storage_busy', detail: 'The database is not available; try again.', retryAfter: 1 };
  }
  if (error instanceof UnstorableText) return { status: 422, code: 'text_invalid', detail: `${error.message}.` };
  if (isStorageBusy(error)) {
    const detail = 'The store is locked at the moment; nothing was changed, try again.';
    return { status: 503, code: 'storage_busy', detail, retryAfter: 1 };
  }
  const status = statusOf(error);
  if (status === undefined || status >= 500) {
    return {
      status: status ?? 500,
      code: 'internal_error',
      detail: 'Something went wrong here; the request id finds it in the log.',
    };
  }
  const message = (error as Error).message;
  return {
    status,
    code: CODES[status] ?? 'bad_request',
    detail: status === 404 ? `There is nothing at this address: ${message}` : message,
  };
}

function fromDownstream(error: DownstreamError): ProblemDetails {
  if (error.reason === 'rejected') {
    const status = error.status ?? 400;
    // The internal token was refused, which the caller of this process cannot change.
    if (status === 401 && error.problem?.code === 'internal_token') {
      return {
        status: 502,
        code: `${error.service}_fault`,
        detail: `The ${error.service} service refused this server.`,
      };
    }
    return {
      status,
      code: error.problem?.code ?? CODES[status] ?? 'bad_request',
      detail: error.problem?.detail ?? 'The request was refused.',
      ...(error.retryAfterMs === undefined ? {} : { retryAfter: seconds(error.retryAfterMs) }),
    };
  }
  const status = DOWNSTREAM_STATUS[error.reason];
  return {
    status,
    code: `${error.service}_${error.reason}`,
    detail: `The ${error.service} service is not available (${error.reason}); nothing was lost, try again.`,
    ...(status === 503 ? { retryAfter: seconds(error.retryAfterMs ?? 1000) } : {}),
  };
}

function fromGuard({ reason, message }: GuardError): ProblemDetails {
  if (reason !== 'circuit_open') return { status: 504, code: reason, detail: message };
  return { status: 503, code: reason, detail: message, retryAfter: 1 };
}

const seconds = (ms: number) => Math.max(1, Math.ceil(ms / 1000));

function statusOf(error: unknown): number | undefined {
  if (error instanceof HttpException) return error.getStatus();
  // Fastify's own errors (body too large, malformed JSON ...) carry their status.
  const status = (error as { statusCode?: unknown } | null)?.statusCode;
  return typeof status === 'number' && status >= 400 && status < 600 ? status : undefined;
}

const TITLES: Record<number, string> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  402: 'Payment Required',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  409: 'Conflict',
  410: 'Gone',
  412: 'Precondition Failed',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  416: 'Range Not Satisfiable',
  422: 'Unprocessable Content',
  429: 'Too Many Requests',
  431: 'Request Header Fields Too Large',
  499: 'Client Closed Request',
  500: 'Internal Server Error',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
  507: 'Insufficient Storage',
};
const CODES: Record<number, string> = {
  400: 'bad_request',
  401: 'unauthorized',
  403: 'forbidden',
  404: 'not_found',
  405: 'method_not_allowed',
  408: 'request_timeout',
  413: 'too_large',
  414: 'too_large',
  415: 'unsupported_media_type',
  429: 'rate_limited',
};

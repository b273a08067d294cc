import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ProblemDetails } from '../../http/problem.js';

/** Whether a request is a chat of the AI SDK, which sends its messages. */
export function isUiRequest({ method, url, body }: FastifyRequest): boolean {
  if (method !== 'POST' || !/^\/v1\/api\/chat\/?(\?|$)/.test(url)) return false;
  return typeof body === 'object' && body !== null && 'messages' in body;
}

/** Writes an error as a sentence, because `useChat` displays the body of an error unchanged. */
export function writeUiError(reply: FastifyReply, { status, detail, retryAfter }: ProblemDetails): void {
  if (retryAfter !== undefined) void reply.header('retry-after', String(retryAfter));
  if (status === 401) void reply.header('www-authenticate', 'Bearer');
  void reply.status(status).header('content-type', 'text/plain; charset=utf-8').send(detail);
}

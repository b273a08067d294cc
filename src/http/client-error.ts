import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import { HEADER } from '../contract/endpoint.js';
import { problemBody } from './problem.filter.js';
import type { ProblemDetails } from './problem.js';

const KNOWN: Record<string, ProblemDetails> = {
  HPE_HEADER_OVERFLOW: {
    status: 431,
    code: 'headers_too_large',
    detail: 'The address and the headers are longer than 16 KiB; a long text belongs into a body.',
  },
  ERR_HTTP_REQUEST_TIMEOUT: {
    status: 408,
    code: 'request_timeout',
    detail: 'The request came too slowly; it was not begun.',
  },
};
const MALFORMED: ProblemDetails = { status: 400, code: 'bad_request', detail: 'This is not an HTTP request.' };

/** Answers bytes that are not a valid HTTP request, and closes the connection. */
export function answerClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  // A connection that sent nothing gets no answer: its client would take a 408 for the answer to its next request.
  if (error.code === 'ECONNRESET' || !socket.writable || socket.bytesRead === 0) {
    socket.destroy();
    return;
  }
  const problem = KNOWN[error.code ?? ''] ?? MALFORMED;
  const requestId = randomUUID();
  const body = problemBody(problem, requestId);
  const text = JSON.stringify(body);
  const lines = [
    `HTTP/1.1 ${problem.status} ${String(body['title'])}`,
    'content-type: application/problem+json; charset=utf-8',
    `content-length: ${Buffer.byteLength(text)}`,
    `${HEADER.requestId}: ${requestId}`,
    'connection: close',
  ];
  socket.end(`${lines.join('\r\n')}\r\n\r\n${text}`);
}

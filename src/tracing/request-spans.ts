import type { ServerResponse } from 'node:http';
import { type Span, SpanKind, SpanStatusCode, type Tracer } from '@opentelemetry/api';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { parentOf, traceparentOf } from './trace-context.js';

/** Routes that probes and scrapers ask every few seconds. */
const UNTRACED = /^\/(health|metrics)(\/|$)/;
const TRACEPARENT = 'traceparent';

/**
 * A span for each request. Its own `traceparent` replaces the one in the request's headers, so that calls which pass
 * it on become children of this span.
 */
export function traceRequests(fastify: FastifyInstance, tracer: Tracer): void {
  fastify.addHook('onRequest', (request, reply, done) => {
    const route = request.routeOptions.url;
    if (route === undefined || !UNTRACED.test(route)) {
      const { headers } = request.raw;
      const span = begin(tracer, request, route, headers[TRACEPARENT]);
      headers[TRACEPARENT] = traceparentOf(span);
      // `close` also comes at the end of a stream, and when an answer was cut off.
      reply.raw.once('close', () => end(span, reply.raw));
    }
    done();
  });
}

/**
 * Follows the semantic conventions for HTTP servers, without `url.path`, `url.query` and the client's address: those
 * would hold the paths of people's documents, their words and addresses.
 */
function begin(tracer: Tracer, { method, protocol, raw }: FastifyRequest, route: string | undefined, parent: unknown) {
  const attributes = {
    'http.request.method': method,
    'url.scheme': protocol,
    'server.address': raw.socket.localAddress,
    'server.port': raw.socket.localPort,
    ...(route === undefined ? {} : { 'http.route': route }),
  };
  const name = route === undefined ? method : `${method} ${route}`;
  return tracer.startSpan(name, { kind: SpanKind.SERVER, attributes }, parentOf(parent, true));
}

function end(span: Span, { statusCode, headersSent, writableFinished }: ServerResponse): void {
  if (headersSent) span.setAttribute('http.response.status_code', statusCode);
  const error = !writableFinished ? 'incomplete' : statusCode >= 500 ? String(statusCode) : undefined;
  if (error !== undefined) span.setAttribute('error.type', error).setStatus({ code: SpanStatusCode.ERROR });
  span.end();
}

import type { ServerResponse } from 'node:http';
import { type Span, SpanKind, SpanStatusCode, type Tracer } from '@opentelemetry/api';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { parentOf, traceparentOf } from './trace-context.js';

/** What probes and scrapers ask for, every few seconds. */
const UNTRACED = /^\/(health|metrics)(\/|$)/;
const TRACEPARENT = 'traceparent';

/**
 * A span for each request. In the request's headers its own `traceparent` takes the place of the one that came: who
 * passes that on makes children of it.
 */
export function traceRequests(fastify: FastifyInstance, tracer: Tracer): void {
  fastify.addHook('onRequest', (request, reply, done) => {
    const route = request.routeOptions.url;
    if (route === undefined || !UNTRACED.test(route)) {
      const { headers } = request.raw;
      const span = begin(tracer, request, route, headers[TRACEPARENT]);
      headers[TRACEPARENT] = traceparentOf(span);
      // The end of a stream too, and of an answer that was broken off.
      reply.raw.once('close', () => end(span, reply.raw));
    }
    done();
  });
}

/**
 * By the semantic conventions for HTTP servers, but for `url.path`, `url.query` and all that says who asks: they would
 * hold the paths of people's documents, their words and addresses.
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

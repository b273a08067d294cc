import { type Span, SpanKind, SpanStatusCode, type Tracer } from '@opentelemetry/api';
import type { Attempt, AttemptTrace } from '../resilience/policy/attempt.js';
import type { ResilientClient } from '../resilience/wire/resilient-client.js';
import { addressOf } from '../resilience/wire/server-address.js';
import { parentOf, traceparentOf } from './trace-context.js';

/** A span for each attempt of the clients, refused calls aside: they are none. */
export function traceAttempts(clients: readonly ResilientClient[], tracer: Tracer): void {
  for (const client of clients) {
    let address = addressOf(client);
    client.policy.runner.traceAttempt = (attempt) => {
      if (address.url !== client.url) address = addressOf(client);
      const { server_address, server_port } = address;
      return new AttemptSpan(attempt, tracer, { 'server.address': server_address, 'server.port': Number(server_port) });
    };
  }
}

/** By the semantic conventions for HTTP clients, but for `url.full`: it would hold the paths of people's documents. */
class AttemptSpan implements AttemptTrace {
  readonly traceparent: string;
  private readonly span: Span;

  constructor({ call, number }: Attempt, tracer: Tracer, address: Record<string, string | number>) {
    const attributes = {
      ...address,
      'http.request.method': call.method,
      'url.template': call.route,
      ...(number === 1 ? {} : { 'http.request.resend_count': number - 1 }),
    };
    const options = { kind: SpanKind.CLIENT, attributes };
    this.span = tracer.startSpan(`${call.method} ${call.route}`, options, parentOf(call.context.traceparent, false));
    this.traceparent = traceparentOf(this.span);
  }

  end(outcome: string, status: number | undefined): void {
    if (status !== undefined) this.span.setAttribute('http.response.status_code', status);
    if (outcome !== 'success') {
      this.span.setAttribute('error.type', outcome).setStatus({ code: SpanStatusCode.ERROR });
    }
    this.span.end();
  }
}

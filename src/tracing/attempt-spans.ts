import { type Span, SpanKind, SpanStatusCode, type Tracer } from '@opentelemetry/api';
import type { Attempt, AttemptTrace } from '../resilience/policy/attempt.js';
import type { ResilientClient } from '../resilience/wire/resilient-client.js';
import { addressOf } from '../resilience/report/server-address.js';
import { parentOf, traceparentOf } from './trace-context.js';

/** A span for each attempt. A call that was refused before its attempt has none. */
export function traceAttempts(clients: readonly ResilientClient[], tracer: Tracer): void {
  for (const client of clients.flatMap((one) => [one, ...one.copies])) {
    let address = addressOf(client);
    client.policy.observe({
      began: (attempt) => {
        if (address.url !== client.url) address = addressOf(client);
        const { server_address, server_port } = address;
        const attributes = { 'server.address': server_address, 'server.port': Number(server_port) };
        attempt.trace = new AttemptSpan(attempt, tracer, attributes);
      },
      ended: (attempt, outcome) => {
        if (attempt.trace instanceof AttemptSpan) attempt.trace.end(outcome, attempt.status);
      },
    });
  }
}

/** Follows the semantic conventions for HTTP clients, without `url.full`, which would hold the paths of people's documents. */
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

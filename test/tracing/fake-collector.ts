import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

type Value = { stringValue?: string; intValue?: number };
interface Attribute {
  key: string;
  value: Value;
}
/** The parts of OTLP's JSON that the tests read. */
interface TracesData {
  resourceSpans: {
    resource: { attributes: Attribute[] };
    scopeSpans: { spans: SpanData[] }[];
  }[];
}
interface SpanData {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  kind: number;
  attributes: Attribute[];
  status: { code?: number };
}

export interface ReceivedSpan {
  service: string;
  traceId: string;
  spanId: string;
  parentSpanId: string | undefined;
  name: string;
  kind: 'server' | 'client' | number;
  attributes: Record<string, string | number | undefined>;
  failed: boolean;
}

/** A collector for OTLP over HTTP that can be stopped and started again at the same address. */
export class FakeCollector {
  readonly spans: ReceivedSpan[] = [];
  /** The received bodies. */
  readonly bodies: string[] = [];
  /** True: reads requests and never answers. */
  hangs = false;
  private server: Server | undefined;
  private port = 0;

  async start(): Promise<void> {
    this.hangs = false;
    this.server = createServer((request, reply) => void this.take(request, reply)).listen(this.port, '127.0.0.1');
    await once(this.server, 'listening');
    this.port = (this.server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    if (this.server === undefined || !this.server.listening) return;
    this.server.close();
    this.server.closeAllConnections();
    await once(this.server, 'close');
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  trace(traceId: string): ReceivedSpan[] {
    return this.spans.filter((span) => span.traceId === traceId);
  }

  private async take(request: IncomingMessage, reply: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString();
    if (this.hangs) return;
    this.bodies.push(body);
    if (request.url === '/v1/traces') this.spans.push(...received(JSON.parse(body) as TracesData));
    reply.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  }
}

function received({ resourceSpans }: TracesData): ReceivedSpan[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) => {
    const service = String(valuesOf(resource.attributes)['service.name']);
    return scopeSpans.flatMap(({ spans }) =>
      spans.map(({ traceId, spanId, parentSpanId, name, kind, attributes, status }) => ({
        service,
        traceId,
        spanId,
        parentSpanId,
        name,
        kind: ({ 2: 'server', 3: 'client' } as const)[kind] ?? kind,
        attributes: valuesOf(attributes),
        failed: status.code === 2,
      })),
    );
  });
}

function valuesOf(attributes: Attribute[]): Record<string, string | number | undefined> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, value.stringValue ?? value.intValue]));
}

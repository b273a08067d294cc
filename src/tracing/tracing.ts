import type { Tracer } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import type { FastifyInstance } from 'fastify';
import type { AppName } from '../config/config.schema.js';
import type { ResilientClient } from '../resilience/wire/resilient-client.js';
import { traceAttempts } from './attempt-spans.js';
import { traceRequests } from './request-spans.js';
import { WatchedExporter } from './watched-exporter.js';

const SEND_EVERY_MS = 1000;
const LAST_SPANS_MS = 1000;

/**
 * Sends the spans of one process to a collector. Import it only where one is configured, because it loads the SDK.
 * Spans beyond the queue's size are dropped; no request waits for the collector.
 */
export class Tracing {
  private readonly provider: TracerProvider;
  private readonly tracer: Tracer;

  constructor(app: AppName, otlpUrl: string, sampleRatio: number, warn: (message: string) => void) {
    const url = `${otlpUrl.replace(/(?<!\/)\/+$/, '')}/v1/traces`;
    const { host } = new URL(url);
    const exporter = new WatchedExporter(new OTLPTraceExporter({ url }), (why) =>
      warn(`Traces: the collector at ${host} takes no spans: ${why}`),
    );
    this.provider = new TracerProvider({
      resource: resourceFromAttributes({ 'service.name': `caudex-${app}` }),
      sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(sampleRatio) }),
      spanProcessors: [new BatchSpanProcessor({ exporter, scheduledDelayMillis: SEND_EVERY_MS })],
    });
    this.tracer = this.provider.getTracer('caudex');
  }

  requests(fastify: FastifyInstance): void {
    traceRequests(fastify, this.tracer);
  }

  attempts(clients: readonly ResilientClient[]): void {
    traceAttempts(clients, this.tracer);
  }

  /** Sends the remaining spans, for up to a second. */
  async stop(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, LAST_SPANS_MS)));
    // The exporter has logged why it failed.
    const sent = this.provider.shutdown().catch(() => undefined);
    await Promise.race([sent, late]);
    clearTimeout(timer);
  }
}

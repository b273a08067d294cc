import { Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance } from 'fastify';
import { collectDefaultMetrics, Gauge, Histogram, register } from 'prom-client';
import { InjectConfig } from '../../config/config.module.js';
import type { Config } from '../../config/config.schema.js';
import { Outbox } from '../../outbox/outbox.service.js';

/** The bucket boundaries of OpenTelemetry's semantic conventions for http.server.request.duration, in seconds. */
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

/** The backend's own series, in addition to those of its clients; docs/operations.md lists them. */
@Injectable()
export class BackendMetrics implements OnModuleInit {
  constructor(
    @InjectConfig() private readonly config: Config,
    private readonly outbox: Outbox,
    private readonly http: HttpAdapterHost,
  ) {}

  onModuleInit(): void {
    if (!this.config.metrics.enabled) return;
    for (const name of ['caudex_outbox_entries', 'caudex_outbox_oldest_seconds', DURATION, ACTIVE])
      register.removeSingleMetric(name);
    if (register.getSingleMetric('process_cpu_user_seconds_total') === undefined) collectDefaultMetrics();
    this.watchOutbox();
    this.measureRequests(this.http.httpAdapter.getInstance<FastifyInstance>());
  }

  private watchOutbox(): void {
    const { store } = this.outbox;
    const labelNames = ['topic', 'state'];
    new Gauge({
      name: 'caudex_outbox_entries',
      help: 'Entries in the outbox; `dead` ones were set aside',
      labelNames,
      async collect() {
        this.reset();
        for (const { topic, state, entries } of await store.stats()) this.set({ topic, state }, entries);
      },
    });
    new Gauge({
      name: 'caudex_outbox_oldest_seconds',
      help: 'How long the oldest entry has waited',
      labelNames,
      async collect() {
        this.reset();
        for (const { topic, state, oldest } of await store.stats()) {
          this.set({ topic, state }, (Date.now() - Date.parse(oldest)) / 1000);
        }
      },
    });
  }

  private measureRequests(fastify: FastifyInstance): void {
    const durations = new Histogram({
      name: DURATION,
      help: 'Duration of the requests to the public API',
      labelNames: ['http_request_method', 'http_route', 'http_response_status_code'],
      buckets: BUCKETS,
    });
    const active = new Gauge({ name: ACTIVE, help: 'Requests to the public API in flight, open streams included' });
    fastify.addHook('onRequest', (_request, reply, done) => {
      active.inc();
      reply.raw.on('close', () => active.dec());
      done();
    });
    fastify.addHook('onResponse', (request, reply, done) => {
      durations.observe(
        {
          http_request_method: request.method,
          http_route: request.routeOptions.url ?? '',
          http_response_status_code: reply.statusCode,
        },
        reply.elapsedTime / 1000,
      );
      done();
    });
  }
}

const DURATION = 'http_server_request_duration_seconds';
const ACTIVE = 'http_server_active_requests';

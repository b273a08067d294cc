import { Counter, Gauge, Histogram, register } from 'prom-client';
import type { ClientName } from '../../config/config.schema.js';
import type { ResiliencePolicy } from '../policy/resilience-policy.js';
import type { ClientStatus } from './client-report.js';
import type { Counts } from './counts.js';
import { addressOf } from './server-address.js';

/** As OpenTelemetry's semantic conventions advise for http.client.request.duration, in seconds. */
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

const STATES = ['closed', 'open', 'half_open'] as const;

/** The part of a client that the series are read from. */
interface MeasuredClient {
  service: ClientName;
  url: string | null;
  policy: ResiliencePolicy;
  counts: Counts;
  status(): ClientStatus;
}

type Reading = (client: MeasuredClient) => number | [labels: Record<string, string>, value: number][];

/**
 * Registers the series listed in docs/operations.md. Only the durations are recorded by each call; all others are
 * read from the clients when the metrics are scraped.
 */
export function registerResilienceMetrics(clients: () => readonly MeasuredClient[]): void {
  const series = (kind: typeof Gauge | typeof Counter, name: string, help: string, labels: string[], read: Reading) => {
    register.removeSingleMetric(name);
    new kind({
      name,
      help,
      labelNames: ['service', ...labels],
      collect() {
        this.reset();
        for (const client of clients()) {
          const reading = read(client);
          const values: [Record<string, string>, number][] = typeof reading === 'number' ? [[{}, reading]] : reading;
          for (const [own, value] of values) this.inc({ service: client.service, ...own }, value);
        }
      },
    });
  };
  const gauge = series.bind(null, Gauge);
  const counter = series.bind(null, Counter);

  gauge('caudex_breaker_state', '1 for the state that the breaker is in', ['state'], (client) =>
    STATES.map((state) => [{ state }, client.status().state === state ? 1 : 0]),
  );
  gauge('caudex_breaker_failures', 'Failures counted by the breaker', [], (client) => client.status().failure_count);
  gauge('caudex_service_misconfigured', '1 while a service refuses calls because of its configuration', [], (client) =>
    client.status().misconfigured ? 1 : 0,
  );
  gauge(
    'caudex_retry_budget_tokens',
    'Retries that the budget allows',
    [],
    ({ policy }) => policy.retry.budget.available,
  );
  gauge('caudex_bulkhead_active', 'Attempts under way', [], ({ policy }) => policy.bulkhead.active);
  gauge('caudex_bulkhead_queued', 'Calls in the queue', [], ({ policy }) => policy.bulkhead.queued);
  gauge('caudex_call_amplification', 'Attempts for each call', [], ({ counts }) => counts.amplification);
  counter('caudex_calls_total', 'Calls', [], ({ counts }) => counts.calls);
  counter('caudex_attempts_total', 'Attempts on the wire', [], ({ counts }) => counts.attempts);
  counter('caudex_retries_total', 'Attempts after the first', [], ({ counts }) => counts.retries);
  counter('caudex_refusals_total', 'Attempts that were not sent, by what refused them', ['by'], ({ counts }) =>
    Object.entries(counts.refusedBy).map(([by, count]) => [{ by }, count]),
  );
  measureDurations(clients());
}

function measureDurations(clients: readonly MeasuredClient[]): void {
  const name = 'http_client_request_duration_seconds';
  register.removeSingleMetric(name);
  const durations = new Histogram({
    name,
    help: 'Duration of the attempts',
    labelNames: ['service', 'http_request_method', 'server_address', 'server_port', 'url_template', 'error_type'],
    buckets: BUCKETS,
  });
  for (const client of clients) {
    let labels = addressOf(client);
    client.policy.observe({
      ended: ({ call }, outcome, durationMs) => {
        if (labels.url !== client.url) labels = addressOf(client);
        durations.observe(
          {
            service: client.service,
            http_request_method: call.method,
            server_address: labels.server_address,
            server_port: labels.server_port,
            url_template: call.route,
            error_type: outcome === 'success' ? '' : outcome,
          },
          durationMs / 1000,
        );
      },
    });
  }
}

import { Counter, Gauge, Histogram, register } from 'prom-client';
import { amplificationOf } from './client-report.js';
import type { ResilientClient } from '../wire/resilient-client.js';
import { addressOf } from '../wire/server-address.js';

/** As OpenTelemetry's semantic conventions advise for http.client.request.duration, in seconds. */
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

const STATES = ['closed', 'open', 'half_open'] as const;

type Reading = (client: ResilientClient) => number | [labels: Record<string, string>, value: number][];

/**
 * The series of docs/operations.md. All but the durations are read off the clients when they are asked for; the
 * durations are the only thing that a call itself does for them.
 */
export function registerResilienceMetrics(clients: () => readonly ResilientClient[]): void {
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
  gauge('caudex_retry_budget_tokens', 'Retries that the budget allows', [], (client) => client.policy.budget.available);
  gauge('caudex_bulkhead_active', 'Attempts under way', [], ({ policy }) => policy.runner.bulkhead.active);
  gauge('caudex_bulkhead_queued', 'Calls waiting for their turn', [], ({ policy }) => policy.runner.bulkhead.queued);
  gauge('caudex_call_amplification', 'Attempts for each call', [], ({ policy }) => amplificationOf(policy));
  counter('caudex_calls_total', 'Calls', [], ({ policy }) => policy.counts.calls);
  counter('caudex_attempts_total', 'Attempts on the wire', [], ({ policy }) => policy.runner.counts.attempts);
  counter('caudex_retries_total', 'Attempts after the first', [], ({ policy }) => policy.counts.retries);
  counter('caudex_refusals_total', 'What was not sent, by what refused it', ['by'], ({ policy }) => [
    [{ by: 'breaker' }, policy.runner.counts.refused],
    [{ by: 'bulkhead' }, policy.runner.counts.saturated],
    [{ by: 'retry_budget' }, policy.counts.unbudgeted],
  ]);
  measureDurations(clients());
}

function measureDurations(clients: readonly ResilientClient[]): void {
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
    client.policy.runner.onAttempt = ({ call }, outcome, durationMs) => {
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
    };
  }
}

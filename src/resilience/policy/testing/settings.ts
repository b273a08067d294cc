import type { DownstreamSettings } from '../../../config/config.schema.js';

/** Round numbers for tests: three attempts 1 s and 2 s apart, 5 s each; three failures open for 10 s. */
export function testSettings(over: Partial<DownstreamSettings> = {}): DownstreamSettings {
  return {
    url: 'http://127.0.0.1:1',
    max_retries: 3,
    retry_base_ms: 1000,
    timeout_ms: 5000,
    failure_threshold: 3,
    recovery_timeout_ms: 10_000,
    breaker: { kind: 'consecutive', window_ms: 10_000, min_calls: 4, failure_rate: 0.5, slow_call_ms: 1000 },
    bulkhead: { concurrency: 64, queue: 64, adaptive: false },
    retry_budget: { ratio: 0.1, reserve: 10, refill_per_s: 0.1 },
    balancing: { eject_after: 3, ejected_ms: 1000, hedged_share: 0, resolve_ms: 1000 },
    fault_drill: { enabled: false, latency_ms: 0, error_rate: 0, reset_rate: 0 },
    ...over,
  };
}

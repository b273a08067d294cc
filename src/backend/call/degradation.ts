import { z } from 'zod';
import type { ClientName } from '../../config/config.schema.js';
import { DownstreamError } from '../../resilience/policy/downstream-error.js';

const FALLBACKS = ['fulltext', 'cache', 'extractive', 'next_model', 'outbox', 'grace', 'unmetered', 'none'] as const;
export type Fallback = (typeof FALLBACKS)[number];

export const degradationSchema = z.array(
  z
    .object({
      service: z.string(),
      reason: z.enum(['unreachable', 'timeout', 'circuit_open', 'saturated', 'fault', 'protocol', 'deadline']),
      fallback: z.enum(FALLBACKS),
    })
    .meta({ title: 'Degradation' }),
);
export type DegradationList = z.output<typeof degradationSchema>;

/** The failures that were worked around while one request was answered. */
export class Degradation {
  readonly list: DegradationList = [];

  /** @throws the error itself where it is not a service's failure: a bug, or a caller that disconnected */
  add(service: ClientName, error: unknown, fallback: Fallback): void {
    if (!(error instanceof DownstreamError) || error.reason === 'cancelled') throw error;
    const reason = error.reason === 'rejected' ? 'fault' : error.reason;
    this.list.push({ service, reason, fallback });
  }

  /** Records that the last fallback had no result either. */
  fellThrough(): void {
    const last = this.list.at(-1);
    if (last !== undefined) last.fallback = 'none';
  }

  get degraded(): boolean {
    return this.list.length > 0;
  }
}

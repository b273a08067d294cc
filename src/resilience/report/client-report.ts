import type { DownstreamSettings } from '../../config/config.schema.js';
import type { BreakerState } from '../policy/circuit-breaker.js';
import type { Counts } from './counts.js';
import type { Rejections } from './rejections.js';
import type { History, OutcomeRecord } from './history.js';
import type { Minutes } from './minutes.js';
import type { ResiliencePolicy } from '../policy/resilience-policy.js';
import { timestamp } from './timestamp.js';

/** The public state of a service. */
export interface ClientStatus {
  /** The service's title. */
  service: string;
  state: BreakerState;
  failure_count: number;
  /** UTC, to the microsecond, without a zone; null: never. */
  last_failure: string | null;
  last_failure_reason: string | null;
  last_state_change: string;
  /** While the breaker is not closed: whole milliseconds until it is worth asking again, never too few. */
  retry_after_ms: number | null;
  isolated_by: string[];
  /** The service refuses every call because of how it is configured here: a key, a name, a quota, a parameter. */
  misconfigured: boolean;
  last_rejection: { at: string; status: number; code: string; detail: string } | null;
}

interface AttemptReport {
  at: string;
  /** `success`, or the reason of the failure. */
  outcome: string;
  duration_ms: number;
  request_id: string;
}

/** The last hour of a service. */
export interface ClientTimeline {
  /** Oldest first; minutes without an attempt are left out. */
  minutes: { at: string; attempts: number; failures: number; slowest_ms: number }[];
  /** The last changes of the breaker, newest first. */
  changes: { at: string; from: BreakerState; to: BreakerState; why: string }[];
}

/** The state of a service with what led to it, for operators. */
export interface ClientReport extends ClientStatus {
  /** Newest first, each with the attempts that led to it. */
  decisions: { at: string; from: BreakerState; to: BreakerState; why: string; attempts: AttemptReport[] }[];
  recent_attempts: AttemptReport[];
  settings: DownstreamSettings;
  /** `waiting`: calls between two attempts. */
  retry_budget: { tokens: number; reserve: number; waiting: number };
  /** `limit`: the most attempts at a time now. */
  bulkhead: { active: number; queued: number; limit: number; concurrency: number; queue: number };
  /** Empty for a service with one address. An ejected one gets no requests until its health route answers. */
  endpoints: readonly { url: string; ejected: boolean; failures: number; active: number }[];
  counts: { calls: number; attempts: number; retries: number; refused: number; saturated: number; unbudgeted: number };
  /** Attempts on the wire for each call. */
  amplification: number;
}

/** Where the figures of one client come from. */
export interface ReportSources {
  title: string;
  policy: ResiliencePolicy;
  history: History;
  counts: Counts;
  /** Only of services outside: our own servers refuse single calls, and are configured with the backend. */
  rejections: Rejections | undefined;
  endpoints: ClientReport['endpoints'];
}

export function statusOf({
  title,
  policy,
  history: { lastFailure },
  rejections,
}: Omit<ReportSources, 'endpoints'>): ClientStatus {
  const last = rejections?.last;
  const { breaker } = policy.breaker;
  const refusedForMs = breaker.refusal();
  return {
    service: title,
    state: breaker.name,
    failure_count: breaker.failures,
    last_failure: lastFailure === undefined ? null : timestamp(lastFailure.at),
    last_state_change: timestamp(breaker.changedAt),
    last_failure_reason: lastFailure?.reason ?? null,
    retry_after_ms: refusedForMs === undefined ? null : Math.ceil(refusedForMs),
    isolated_by: breaker.isolatedBy,
    misconfigured: rejections?.isMisconfigured ?? false,
    last_rejection: last === undefined ? null : { ...last, at: timestamp(last.at) },
  };
}

export function timelineOf({ history, minutes }: { history: History; minutes: Minutes }): ClientTimeline {
  return {
    minutes: minutes
      .lastHour()
      .map(({ at, slowestMs, ...counts }) => ({ at: timestamp(at), ...counts, slowest_ms: Math.ceil(slowestMs) })),
    changes: history.decisions().map(({ at, from, to, why }) => ({ at: timestamp(at), from, to, why })),
  };
}

export function reportOf(sources: ReportSources, settings: DownstreamSettings): ClientReport {
  const { history, counts } = sources;
  const { bulkhead, retry } = sources.policy;
  const { breaker: refused, bulkhead: saturated, retry_budget: unbudgeted } = counts.refusedBy;
  return {
    ...statusOf(sources),
    decisions: history.decisions().map(({ at, from, to, why, outcomes }) => ({
      at: timestamp(at),
      from,
      to,
      why,
      attempts: outcomes.map(attemptReport),
    })),
    recent_attempts: history.outcomes().map(attemptReport),
    settings,
    retry_budget: {
      tokens: retry.budget.available,
      reserve: settings.retry_budget.reserve,
      waiting: retry.waiting,
    },
    bulkhead: { active: bulkhead.active, queued: bulkhead.queued, limit: bulkhead.limit, ...settings.bulkhead },
    endpoints: sources.endpoints,
    counts: {
      calls: counts.calls,
      attempts: counts.attempts,
      retries: counts.retries,
      refused,
      saturated,
      unbudgeted,
    },
    amplification: counts.amplification,
  };
}

function attemptReport({ at, outcome, durationMs, requestId }: OutcomeRecord): AttemptReport {
  return { at: timestamp(at), outcome, duration_ms: Math.ceil(durationMs), request_id: requestId };
}

import type { ServiceStatus, ServiceTimeline } from '../api/shapes.ts';
import { utc } from '../texts/format.ts';

export type State = ServiceStatus['state'];

export interface Bar {
  at: Date;
  attempts: number;
  failures: number;
  slowestMs: number;
  /** The worst state of the breaker within the minute. */
  state: State;
}

const MINUTE_MS = 60_000;
const MINUTES = 60;
const WORSE: Record<State, number> = { closed: 0, half_open: 1, open: 2 };

/** The last hour minute by minute, oldest first: what went to the service, and how its breaker stood. */
export function hourOf({ minutes, changes }: ServiceTimeline, now: Date): Bar[] {
  const first = Math.floor(now.getTime() / MINUTE_MS) - MINUTES + 1;
  const counted = new Map(minutes.map((minute) => [Math.floor(utc(minute.at).getTime() / MINUTE_MS), minute]));
  const oldestFirst = [...changes].reverse().map((change) => ({ ...change, ms: utc(change.at).getTime() }));
  return Array.from({ length: MINUTES }, (_, index) => {
    const minute = first + index;
    const from = minute * MINUTE_MS;
    const before = oldestFirst.findLast(({ ms }) => ms < from);
    const within = oldestFirst.filter(({ ms }) => ms >= from && ms < from + MINUTE_MS);
    const states = [before?.to ?? within[0]?.from ?? oldestFirst[0]?.from ?? 'closed', ...within.map(({ to }) => to)];
    const { attempts = 0, failures = 0, slowest_ms: slowestMs = 0 } = counted.get(minute) ?? {};
    const state = states.reduce((worst, next) => (WORSE[next] > WORSE[worst] ? next : worst));
    return { at: new Date(from), attempts, failures, slowestMs, state };
  });
}

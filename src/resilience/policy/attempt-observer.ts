import type { DownstreamReason } from '../../contract/downstream-reason.js';
import type { Attempt } from './attempt.js';
import type { Call } from './call.js';
import type { Transition } from './circuit-breaker.js';
import type { DownstreamError } from './downstream-error.js';

/** `error`: the work threw something that is not a failure of the service. */
export type AttemptOutcome = 'success' | DownstreamReason | 'error';

/** The policy that refused an attempt before anything was sent. */
export type Refuser = 'breaker' | 'bulkhead' | 'retry_budget';

/**
 * The events of attempts, for log, history, metrics and spans. Each method is optional. An observer that throws does
 * not affect the caller.
 */
export interface AttemptObserver {
  called?(call: Call): void;
  began?(attempt: Attempt): void;
  /** The answer has come, or the first part of a streamed one. */
  answered?(attempt: Attempt): void;
  /** @param durationMs to the answer, or to the first part of a streamed one */
  ended?(attempt: Attempt, outcome: AttemptOutcome, durationMs: number, error: unknown): void;
  refused?(attempt: Attempt, by: Refuser): void;
  /** Another attempt follows after `waitMs`, without its jitter. */
  retrying?(attempt: Attempt, error: DownstreamError, waitMs: number): void;
  /** The last of several attempts failed. */
  gaveUp?(attempt: Attempt): void;
  stateChanged?(transition: Transition): void;
  /** One caller's failures opened the circuit of that caller, not the breaker: the health route answers. */
  callerOpened?(caller: string, failures: number): void;
  observerFailed?(error: unknown): void;
}

const NOTICES = [
  'called',
  'began',
  'answered',
  'ended',
  'refused',
  'retrying',
  'gaveUp',
  'stateChanged',
  'callerOpened',
] as const;
type Notice = (typeof NOTICES)[number];

/** Several observers, told in their order. Each notice reaches only those that ask for it. */
export class Observers {
  private readonly listeners = new Map<Notice, ((...details: unknown[]) => void)[]>();
  private readonly all: AttemptObserver[] = [];

  constructor(observers: readonly AttemptObserver[]) {
    for (const observer of observers) this.add(observer);
  }

  add(observer: AttemptObserver): void {
    this.all.push(observer);
    for (const notice of NOTICES) {
      const listener = (observer[notice] as ((...details: unknown[]) => void) | undefined)?.bind(observer);
      if (listener === undefined) continue;
      const listeners = this.listeners.get(notice);
      if (listeners === undefined) this.listeners.set(notice, [listener]);
      else listeners.push(listener);
    }
  }

  tell<N extends Notice>(notice: N, ...details: Parameters<Required<AttemptObserver>[N]>): void {
    const listeners = this.listeners.get(notice);
    if (listeners === undefined) return;
    for (const listener of listeners) {
      try {
        listener(...details);
      } catch (error) {
        for (const observer of this.all) observer.observerFailed?.(error);
      }
    }
  }
}

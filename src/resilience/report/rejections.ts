import type { Attempt } from '../policy/attempt.js';
import type { AttemptObserver, AttemptOutcome } from '../policy/attempt-observer.js';
import type { Clock } from '../policy/clock.js';
import { DownstreamError } from '../policy/downstream-error.js';
import { refusalKind } from './model-refusal.js';

export interface Rejection {
  /** Milliseconds since 1970. */
  at: number;
  status: number;
  code: string;
  detail: string;
}

/** The last refusal that is caused by the configuration. A success ends the state `misconfigured`, but the refusal is kept. */
export class Rejections implements AttemptObserver {
  isMisconfigured = false;
  last: Rejection | undefined;

  constructor(private readonly clock: Clock) {}

  ended(_attempt: Attempt, outcome: AttemptOutcome, _durationMs: number, error: unknown): void {
    if (outcome === 'success') this.isMisconfigured = false;
    else if (error instanceof DownstreamError && refusalKind(error) === 'configuration') {
      const { status = 429, problem, message } = error;
      this.isMisconfigured = true;
      this.last = {
        at: this.clock.wallMs(),
        status,
        code: problem?.code ?? String(status),
        detail: problem?.detail ?? message,
      };
    }
  }
}

import type { Attempt } from '../policy/attempt.js';
import type { AttemptObserver, AttemptOutcome } from '../policy/attempt-observer.js';
import type { Clock } from '../policy/clock.js';
import { DownstreamError } from '../policy/downstream-error.js';

export interface Rejection {
  /** Milliseconds since 1970. */
  at: number;
  status: number;
  code: string;
  detail: string;
}

/** Wrong key, unpaid, not allowed, unknown model or path, refused field. */
const OF_CONFIGURATION: ReadonlySet<number> = new Set([401, 402, 403, 404, 405, 422]);
const OF_PARAMETER =
  /(unsupported|unknown|unrecognized|invalid|unexpected|extra).{0,40}(parameter|argument|field|key)/i;
const SPENT_QUOTA = 'insufficient_quota';

/** Whether a refusal is caused by our configuration of the service, and so concerns every caller. */
export function isMisconfiguration({ reason, status, message, problem }: DownstreamError): boolean {
  if (problem?.code === SPENT_QUOTA) return true;
  if (reason !== 'rejected' || status === undefined) return false;
  return OF_CONFIGURATION.has(status) || (status === 400 && OF_PARAMETER.test(message));
}

/** The last refusal that is caused by the configuration. A success ends the state `misconfigured`, but the refusal is kept. */
export class Rejections implements AttemptObserver {
  isMisconfigured = false;
  last: Rejection | undefined;

  constructor(private readonly clock: Clock) {}

  ended(_attempt: Attempt, outcome: AttemptOutcome, _durationMs: number, error: unknown): void {
    if (outcome === 'success') this.isMisconfigured = false;
    else if (error instanceof DownstreamError && isMisconfiguration(error)) {
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

import { Problem } from '../../../../http/problem.js';
import { guarded, outboundBreaker } from '../../../../resilience/policy/guarded.js';

export interface OutsideOptions {
  /** The time limit of one call. */
  timeoutMs: number;
  /** After this many consecutive failures no further calls are made. */
  failures: number;
  /** How long no calls are made after that. */
  recoveryMs: number;
}

/** An external JSON service, with a time limit and a circuit breaker of its own. */
export class Outside {
  private readonly breaker: ReturnType<typeof outboundBreaker>;

  constructor(
    /** The name used in errors and logs. */
    readonly name: string,
    private readonly options: OutsideOptions,
  ) {
    this.breaker = outboundBreaker(options);
  }

  /**
   * A status below 500 is an answer; one of 500 and above is a failure.
   * @throws Error where there is no answer, or an answer that is not JSON
   */
  async call(url: string, init: RequestInit = {}): Promise<{ status: number; headers: Headers; body: unknown }> {
    return guarded(
      async (signal) => {
        const response = await fetch(url, { redirect: 'error', ...init, signal });
        const text = await response.text();
        if (response.status >= 500) throw new Error(`${this.name} answered ${response.status}`);
        return { status: response.status, headers: response.headers, body: JSON.parse(text) as unknown };
      },
      { name: this.name, timeoutMs: this.options.timeoutMs, breaker: this.breaker },
    );
  }
}

/**
 * The error for a question that only an unavailable external service could answer. A 4xx, because this server works: it
 * still verifies API keys and sessions, so the caller's breaker must stay closed.
 */
export const outsideAway = (name: string, cause: unknown) =>
  Object.assign(
    new Problem({ status: 424, code: 'identity_provider_unavailable', detail: `${name} gives no answer; try again.` }),
    { cause },
  );

import { Problem } from '../../../../http/problem.js';
import { guarded, outboundBreaker } from '../../../../resilience/policy/guarded.js';

export interface OutsideOptions {
  /** The longest that one call may take. */
  timeoutMs: number;
  /** Calls in a row that fail before no more are made. */
  failures: number;
  /** How long then none is made. */
  recoveryMs: number;
}

/** A place outside that answers in JSON, behind a time limit and a breaker of its own. */
export class Outside {
  private readonly breaker: ReturnType<typeof outboundBreaker>;

  constructor(
    /** As errors and logs name it. */
    readonly name: string,
    private readonly options: OutsideOptions,
  ) {
    this.breaker = outboundBreaker(options);
  }

  /**
   * A status below 500 is an answer; one of 500 and above is a failure.
   * @throws Error where there is no answer, or one that is no JSON
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
 * What only a place outside can say, and it does not answer. A 4xx, because this server works: an API key or a session is
 * still verified here, so the caller's breaker must stay closed.
 */
export const outsideAway = (name: string, cause: unknown) =>
  Object.assign(
    new Problem({ status: 424, code: 'identity_provider_unavailable', detail: `${name} gives no answer; try again.` }),
    { cause },
  );

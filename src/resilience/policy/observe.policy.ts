import type { IPolicy } from 'cockatiel';
import { Attempt } from './attempt.js';
import type { AttemptOutcome, Observers } from './attempt-observer.js';
import type { Clock } from './clock.js';
import { DownstreamError } from './downstream-error.js';
import { PolicyEvents } from './policy-events.js';
import { type AttemptContext, follow, start, type Work } from './work.js';

/**
 * Tells the observers of each attempt that really begins. It stands inside the breaker, so that an attempt is logged
 * before the change of state that it causes.
 */
export class ObservePolicy implements IPolicy<AttemptContext> {
  declare readonly _altReturn: never;
  private readonly events = new PolicyEvents();
  readonly onSuccess = this.events.onSuccess;
  readonly onFailure = this.events.onFailure;

  constructor(
    private readonly observers: Observers,
    private readonly clock: Clock,
  ) {}

  execute<T>(work: Work<T>, signal?: AbortSignal): Promise<T> {
    const { observers, clock } = this;
    const attempt = Attempt.of(signal);
    attempt.begin(clock);
    observers.tell('began', attempt);
    const running = start(work, attempt);
    const answered = () => {
      attempt.answered(clock);
      observers.tell('answered', attempt);
    };
    follow(running, attempt, {
      answered,
      ended: (error) => {
        if (error === undefined && attempt.stream === undefined) answered();
        observers.tell('ended', attempt, outcomeOf(error), attempt.answered(clock), error);
      },
    });
    return this.events.watch(running);
  }
}

function outcomeOf(error: unknown): AttemptOutcome {
  if (error === undefined) return 'success';
  return error instanceof DownstreamError ? error.reason : 'error';
}

import { type Event, EventEmitter, type IFailureEvent, type ISuccessEvent } from 'cockatiel';
import { DownstreamError } from './downstream-error.js';

/** `onSuccess` and `onFailure` of cockatiel's `IPolicy`. A call costs nothing for them while nothing listens. */
export class PolicyEvents {
  private readonly successes = new EventEmitter<ISuccessEvent>();
  private readonly failures = new EventEmitter<IFailureEvent>();
  readonly onSuccess: Event<ISuccessEvent> = this.successes.addListener;
  readonly onFailure: Event<IFailureEvent> = this.failures.addListener;

  /** Passes the promise on, and reports how it ended. `handled` is true for failures of the service. */
  watch<T>(running: Promise<T>): Promise<T> {
    if (this.successes.size + this.failures.size > 0) this.report(running);
    return running;
  }

  private report(running: Promise<unknown>): void {
    const beganAtMs = performance.now();
    const duration = () => performance.now() - beganAtMs;
    running.then(
      () => this.successes.emit({ duration: duration() }),
      (error: unknown) =>
        this.failures.emit({
          duration: duration(),
          handled: error instanceof DownstreamError,
          reason: { error },
        }),
    );
  }
}

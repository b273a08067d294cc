import type { ProblemDetails } from '../../http/problem.js';
import type { About } from '../call/deletions.js';
import type { ChatEvent } from './chat-events.js';

/** An event with its position in the stream, counted from 1. */
export interface NumberedEvent {
  readonly id: number;
  readonly event: ChatEvent;
}

/**
 * One answer while it is written and for some time after. A reader can start at any event and receives all later ones.
 */
export class MessageStream {
  private readonly events: NumberedEvent[] = [];
  private readonly wakers = new Set<() => void>();
  private readonly stopping = new AbortController();
  private detached: NodeJS.Timeout | undefined;
  private readers = 0;
  private done = false;
  /** The problem that took the place of an answer; set before the last event. */
  failure: ProblemDetails | undefined;
  private readonly observers: ((event: ChatEvent | undefined) => void)[] = [];
  private readonly whole = Promise.withResolvers<readonly ChatEvent[]>();

  /**
   * @param detachedMs how long the answer continues without a reader before {@link stopSignal} fires
   * @param hasOtherReaders whether another backend reads the answer, which then continues without a reader here
   */
  constructor(
    readonly messageId: string,
    readonly userId: string,
    private readonly detachedMs: number,
    readonly about: About = { projectId: null },
    private readonly hasOtherReaders: () => Promise<boolean> = async () => false,
  ) {}

  /** A stored answer as a stream that has ended. */
  static recorded(messageId: string, userId: string, events: readonly ChatEvent[]): MessageStream {
    const stream = new MessageStream(messageId, userId, 0);
    for (const event of events) stream.push(event);
    stream.end();
    return stream;
  }

  /** Resolves with all events when the stream has ended. A caller that waits for it does not count as a reader. */
  get ended(): Promise<readonly ChatEvent[]> {
    return this.whole.promise;
  }

  /** Fires when the answer has had no reader for too long, or was stopped. */
  get stopSignal(): AbortSignal {
    return this.stopping.signal;
  }

  get finished(): boolean {
    return this.done;
  }

  /** `observer` gets each further event, and undefined at the end. It does not count as a reader. */
  observe(observer: (event: ChatEvent | undefined) => void): void {
    this.observers.push(observer);
  }

  push(event: ChatEvent): void {
    this.events.push({ id: this.events.length + 1, event });
    for (const observer of this.observers) observer(event);
    this.wake();
  }

  /** Ends the stream; no further event follows. */
  end(): void {
    if (this.done) return;
    this.done = true;
    for (const observer of this.observers) observer(undefined);
    this.whole.resolve(this.events.map(({ event }) => event));
    clearTimeout(this.detached);
    this.wake();
  }

  stop(): void {
    this.stopping.abort();
  }

  /** The events after number `after`, including later ones, until the stream ends or the reader disconnects. */
  async *read(after: number, signal: AbortSignal): AsyncGenerator<NumberedEvent> {
    this.readers += 1;
    clearTimeout(this.detached);
    const wake = () => this.wake();
    signal.addEventListener('abort', wake, { once: true });
    try {
      let next = Math.max(0, after);
      while (!signal.aborted) {
        const event = this.events[next];
        if (event !== undefined) {
          next += 1;
          yield event;
        } else if (this.done) {
          return;
        } else {
          await new Promise<void>((resolve) => this.wakers.add(resolve));
        }
      }
    } finally {
      signal.removeEventListener('abort', wake);
      this.readers -= 1;
      if (this.readers === 0 && !this.done) {
        this.stopLater();
      }
    }
  }

  private stopLater(): void {
    this.detached = setTimeout(() => void this.stopUnread(), this.detachedMs);
  }

  private async stopUnread(): Promise<void> {
    const isRead = await this.hasOtherReaders();
    if (this.readers > 0 || this.done) return;
    if (isRead) this.stopLater();
    else this.stop();
  }

  private wake(): void {
    const waiting = [...this.wakers];
    this.wakers.clear();
    for (const resolve of waiting) resolve();
  }
}

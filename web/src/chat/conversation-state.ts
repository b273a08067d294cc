import { GrowingAnswer } from './growing-answer.ts';
import type { ChatChunk, ChatMessage } from './message.ts';

/** The pause between two renderings of a growing answer. */
const DRAW_EVERY_MS = 40;

export interface ConversationEvents {
  /** Returns the chunks of an answer; `asked` is undefined for an answer that is being written already. */
  open: (asked: ChatMessage | undefined, signal: AbortSignal) => AsyncIterable<ChatChunk>;
  /** Called after each answer, complete or not. */
  onSettled: () => void;
}

/** `error`: the last question was refused, see {@link ConversationState.error}. */
export type ConversationStatus = 'ready' | 'submitted' | 'streaming' | 'error';

/** The messages of one conversation, and the answer that is being written. Only one is written at a time. */
export class ConversationState {
  status: ConversationStatus = 'ready';
  error: Error | undefined;
  private shown: ChatMessage[];
  private running: AbortController | undefined;
  private drawing: ReturnType<typeof setTimeout> | undefined;
  private readonly listeners = new Set<() => void>();

  constructor(
    messages: ChatMessage[],
    private readonly events: ConversationEvents,
  ) {
    this.shown = messages;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  get messages(): ChatMessage[] {
    return this.shown;
  }

  set messages(messages: ChatMessage[]) {
    this.shown = messages;
    this.draw();
  }

  get busy(): boolean {
    return this.status === 'submitted' || this.status === 'streaming';
  }

  ask(question: ChatMessage): Promise<void> {
    this.shown = [...this.shown, question];
    return this.run(question);
  }

  /** Asks the last question again; the part of its answer that arrived is removed. */
  askAgain(): Promise<void> {
    const last = this.shown.findLastIndex(({ role }) => role === 'user');
    this.shown = this.shown.slice(0, last + 1);
    return this.run(this.shown[last]);
  }

  /** Joins an answer that is being written already. */
  join(): Promise<void> {
    return this.run(undefined);
  }

  /** Ends the answer; the part that arrived stays. */
  stop(): void {
    this.running?.abort();
  }

  clearError(): void {
    if (this.status === 'error') this.set('ready');
  }

  private async run(asked: ChatMessage | undefined): Promise<void> {
    const running = new AbortController();
    this.running = running;
    this.set('submitted');
    const answer = new GrowingAnswer();
    try {
      for await (const chunk of this.events.open(asked, running.signal)) {
        if (running.signal.aborted) break;
        this.take(answer, chunk);
      }
      this.set('ready');
    } catch (error) {
      if (running.signal.aborted) this.set('ready');
      else this.set('error', error instanceof Error ? error : new Error(String(error)));
    } finally {
      this.events.onSettled();
    }
  }

  private take(answer: GrowingAnswer, chunk: ChatChunk): void {
    const before = answer.message;
    answer.add(chunk);
    if (answer.message === undefined) return;
    // The first chunk appends the answer; each later one replaces it.
    const others = before === undefined ? this.shown : this.shown.slice(0, -1);
    this.shown = [...others, answer.message];
    if (this.status === 'streaming') this.drawing ??= setTimeout(() => this.draw(), DRAW_EVERY_MS);
    else this.set('streaming');
  }

  private set(status: ConversationStatus, error?: Error): void {
    this.status = status;
    this.error = error;
    this.draw();
  }

  private draw(): void {
    clearTimeout(this.drawing);
    this.drawing = undefined;
    for (const listener of [...this.listeners]) listener();
  }
}

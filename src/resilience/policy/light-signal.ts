type Listener = ((event: Event) => void) | { handleEvent(event: Event): void };

/**
 * An `AbortSignal` that allocates nothing until something listens to it. One `AbortController` for each attempt costs more
 * than everything else a healthy call does here, and most attempts are never aborted. It follows its parent: it is
 * aborted when the parent is, and listens to the parent only while it has listeners itself.
 */
export class LightSignal implements AbortSignal {
  onabort: ((this: AbortSignal, event: Event) => unknown) | null = null;
  private ended: { reason: unknown } | undefined = undefined;
  private listeners: Set<Listener> | undefined = undefined;

  constructor(readonly parent: AbortSignal | undefined) {}

  get aborted(): boolean {
    return this.ended !== undefined || this.parent?.aborted === true;
  }

  get reason(): unknown {
    return this.ended === undefined ? (this.parent?.reason as unknown) : this.ended.reason;
  }

  throwIfAborted(): void {
    if (this.aborted) throw this.reason;
  }

  /** Aborts this signal and those that follow it, not its parent. A second call changes nothing. */
  abort(reason: unknown): void {
    if (this.ended !== undefined) return;
    this.ended = { reason };
    if (this.onabort !== null || this.listeners !== undefined) this.dispatchEvent(new Event('abort'));
    this.unfollow();
  }

  addEventListener(type: string, listener: Listener): void {
    if (type !== 'abort') return;
    if (this.listeners === undefined) {
      this.listeners = new Set();
      this.parent?.addEventListener('abort', this);
    }
    this.listeners.add(listener);
  }

  removeEventListener(type: string, listener: Listener): void {
    if (type === 'abort' && this.listeners?.delete(listener) === true && this.listeners.size === 0) this.unfollow();
  }

  dispatchEvent(event: Event): boolean {
    this.onabort?.call(this, event);
    for (const listener of [...(this.listeners ?? [])]) {
      if (typeof listener === 'function') listener.call(this, event);
      else void listener.handleEvent(event);
    }
    return true;
  }

  /** The parent calls this when it is aborted. */
  handleEvent(): void {
    this.abort(this.parent?.reason);
  }

  private unfollow(): void {
    if (this.listeners === undefined) return;
    this.listeners = undefined;
    this.parent?.removeEventListener('abort', this);
  }
}

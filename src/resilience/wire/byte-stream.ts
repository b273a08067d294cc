/** What a stream asks of whoever fills it. */
export interface Source {
  pause(): void;
  resume(): void;
  abort(reason: Error): void;
}

const ENOUGH_BYTES = 65_536;
const DRAIN_MS = 50;

/** A body as it comes in. It is read at the reader's pace, and one that is not read to its end leaves the wire. */
export class ByteStream implements AsyncIterableIterator<Uint8Array> {
  private readonly chunks: Uint8Array[] = [];
  private buffered = 0;
  private state: 'open' | 'ended' | Error = 'open';
  private waiting:
    { resolve: (result: IteratorResult<Uint8Array>) => void; reject: (error: Error) => void } | undefined;

  constructor(private readonly source: Source) {}

  push(chunk: Uint8Array): void {
    if (this.waiting !== undefined) {
      this.waiting.resolve({ done: false, value: chunk });
      this.waiting = undefined;
      return;
    }
    this.chunks.push(chunk);
    this.buffered += chunk.byteLength;
    if (this.buffered >= ENOUGH_BYTES) this.source.pause();
  }

  end(): void {
    if (this.state !== 'open') return;
    this.state = 'ended';
    this.waiting?.resolve({ done: true, value: undefined });
    this.waiting = undefined;
  }

  fail(error: Error): void {
    if (this.state !== 'open') return;
    this.state = error;
    this.waiting?.reject(error);
    this.waiting = undefined;
  }

  next(): Promise<IteratorResult<Uint8Array>> {
    const chunk = this.chunks.shift();
    if (chunk !== undefined) {
      const wasFull = this.buffered >= ENOUGH_BYTES;
      this.buffered -= chunk.byteLength;
      if (wasFull && this.buffered < ENOUGH_BYTES && this.state === 'open') this.source.resume();
      return Promise.resolve({ done: false, value: chunk });
    }
    if (this.state instanceof Error) return Promise.reject(this.state);
    if (this.state === 'ended') return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve, reject) => (this.waiting = { resolve, reject }));
  }

  /** The rest is not wanted: its connection is kept if the end comes at once, and closed otherwise. */
  return(): Promise<IteratorResult<Uint8Array>> {
    if (this.state === 'open') {
      this.source.resume();
      setTimeout(() => this.destroy(), DRAIN_MS).unref();
    }
    this.chunks.length = 0;
    return Promise.resolve({ done: true, value: undefined });
  }

  /** Takes the rest off the wire. */
  destroy(): void {
    if (this.state !== 'open') return;
    this.end();
    this.source.abort(new Error('the reader stopped'));
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

/** The producer of a stream's bytes. */
export interface Source {
  pause(): void;
  resume(): void;
  abort(reason: Error): void;
}

const ENOUGH_BYTES = 65_536;
const DRAIN_MS = 50;

/** A response body as it arrives, read at the reader's pace. When it is not read to its end, the request is aborted. */
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

  /** Stops reading. The connection is kept when the end of the body has come already, and closed otherwise. */
  return(): Promise<IteratorResult<Uint8Array>> {
    if (this.state === 'open') {
      this.source.resume();
      setTimeout(() => this.destroy(), DRAIN_MS).unref();
    }
    this.chunks.length = 0;
    return Promise.resolve({ done: true, value: undefined });
  }

  /** Aborts the rest of the body. */
  destroy(): void {
    if (this.state !== 'open') return;
    this.end();
    this.source.abort(new Error('the reader stopped'));
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

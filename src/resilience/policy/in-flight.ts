/** Identifies a read. User and project are part of every key, so that no answer reaches another user. */
export interface ReadKey {
  userId: string;
  projectId: string | null;
  /** The read itself, with all that its result depends on. */
  what: string;
}

export function keyOf({ userId, projectId, what }: ReadKey): string {
  return JSON.stringify([userId, projectId, what]);
}

interface Shared {
  promise: Promise<unknown>;
  readers: number;
  gone: AbortController;
}

/** Identical reads at the same time become one. It is given up when the last of its readers has gone away. */
export class InFlight {
  private readonly reads = new Map<string, Shared>();

  /** How many different reads are under way. */
  get size(): number {
    return this.reads.size;
  }

  /**
   * @param read gets a signal of its own: one reader's going does not end what others wait for
   * @throws the signal's reason when this reader goes away, and what `read` throws
   */
  async share<T>(key: ReadKey, signal: AbortSignal | undefined, read: (signal: AbortSignal) => Promise<T>): Promise<T> {
    signal?.throwIfAborted();
    const name = keyOf(key);
    const shared = this.reads.get(name) ?? this.begin(name, read);
    shared.readers++;
    let leave: (() => void) | undefined;
    try {
      if (signal === undefined) return (await shared.promise) as T;
      const left = new Promise<never>((_, reject) => {
        leave = () => reject(signal.reason as Error);
        signal.addEventListener('abort', leave);
      });
      return (await Promise.race([shared.promise, left])) as T;
    } finally {
      if (leave !== undefined) signal?.removeEventListener('abort', leave);
      if (--shared.readers === 0 && this.reads.get(name) === shared) {
        this.reads.delete(name);
        shared.gone.abort();
      }
    }
  }

  private begin(name: string, read: (signal: AbortSignal) => Promise<unknown>): Shared {
    const gone = new AbortController();
    const shared: Shared = { promise: read(gone.signal), readers: 0, gone };
    this.reads.set(name, shared);
    const end = () => {
      if (this.reads.get(name) === shared) this.reads.delete(name);
    };
    shared.promise.then(end, end);
    return shared;
  }
}

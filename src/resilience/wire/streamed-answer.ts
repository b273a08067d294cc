import type { Attempt } from '../policy/attempt.js';
import type { ByteStream } from './byte-stream.js';

/** An answer whose first part has come, under the attempt's limits until it ends or the reader stops. */
export class StreamedAnswer<T> implements AsyncIterableIterator<T> {
  private first: IteratorResult<T> | undefined;

  constructor(
    private readonly parts: AsyncIterator<T>,
    private readonly body: ByteStream,
    private readonly attempt: Attempt,
    private readonly idleMs: number,
    private readonly explain: (error: unknown) => unknown,
  ) {}

  /** Resolves when the first part is there. */
  async begin(): Promise<this> {
    this.first = await this.parts.next();
    return this;
  }

  async next(): Promise<IteratorResult<T>> {
    const { first } = this;
    this.first = undefined;
    try {
      if (first === undefined) this.attempt.limit(this.idleMs);
      const result = first ?? (await this.parts.next());
      this.attempt.limit(Infinity);
      if (result.done) this.end();
      return result;
    } catch (thrown) {
      const error = this.explain(thrown);
      this.attempt.finish(error);
      this.body.destroy();
      throw error;
    }
  }

  /** The answer is complete; further bytes of the connection are ignored. */
  private end(): void {
    this.attempt.finish();
    void this.body.return();
  }

  /** The reader stops early, which is no failure of the service. */
  async return(): Promise<IteratorResult<T>> {
    this.attempt.finish();
    this.body.destroy();
    await this.parts.return?.();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

import { type Clock, systemClock } from './clock.js';
import { DownstreamError } from './downstream-error.js';
import { keyOf, type ReadKey } from './in-flight.js';

export interface Aged<T> {
  value: T;
  /** How old the value is; 0: it is from just now. */
  ageMs: number;
  /** Why it is not from just now. */
  error?: DownstreamError;
}

/** Gives the last good result of a read when the service behind it fails, and says how old it is. */
export class StaleIfError<T> {
  /** Least recently written first. */
  private readonly results = new Map<string, { value: T; atMs: number }>();

  constructor(
    private readonly limits: { maxEntries: number; maxAgeMs: number },
    private readonly clock: Clock = systemClock,
  ) {}

  /** @throws DownstreamError where there is nothing to give, or where the service said no (`rejected`, `cancelled`) */
  async read(key: ReadKey, fresh: () => Promise<T>): Promise<Aged<T>> {
    const name = keyOf(key);
    try {
      const value = await fresh();
      this.keep(name, value);
      return { value, ageMs: 0 };
    } catch (error) {
      if (!(error instanceof DownstreamError) || error.reason === 'rejected' || error.reason === 'cancelled')
        throw error;
      const result = this.results.get(name);
      if (result === undefined) throw error;
      const ageMs = this.clock.now() - result.atMs;
      if (ageMs > this.limits.maxAgeMs) throw error;
      return { value: result.value, ageMs, error };
    }
  }

  /** Forgets everything of a project: it has changed. */
  forget(userId: string, projectId: string | null): void {
    const prefix = `${JSON.stringify([userId, projectId]).slice(0, -1)},`;
    for (const name of this.results.keys()) {
      if (name.startsWith(prefix)) this.results.delete(name);
    }
  }

  private keep(name: string, value: T): void {
    this.results.delete(name);
    this.results.set(name, { value, atMs: this.clock.now() });
    if (this.results.size <= this.limits.maxEntries) return;
    for (const oldest of this.results.keys()) {
      this.results.delete(oldest);
      return;
    }
  }
}

/** The slot of one value. */
export interface CacheSlot {
  /** The stored value; undefined where there is none. */
  readonly value: unknown;
  /**
   * Stores a value in the slot, unless the scope was emptied since the slot was opened. Never fails.
   * @param value must be serialisable as JSON
   * @param bytes its approximate size in memory
   */
  keep(value: unknown, bytes: number): void;
}

/** A store for values that can be computed again. Its calls never fail, and none takes long. */
export interface Cache {
  /** @param scope the values that are emptied together: those of one user's project */
  open(scope: string, key: string): Promise<CacheSlot>;
  /** After this call, no value that was stored in the scope before it is found. */
  empty(scope: string): void;
}

/** A scope for each user and project, so that no user finds the entries of another. */
export function scopeOf(userId: string, projectId: string): string {
  return JSON.stringify([userId, projectId]);
}

/** The normalised form of a question, equal for different spellings of the same question. */
export function normalised(question: string): string {
  return question.normalize('NFKC').toLowerCase().trim().replace(/\s+/g, ' ');
}

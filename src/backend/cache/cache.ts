/** The place of one value. */
export interface CacheSlot {
  /** What was kept there; undefined: nothing. */
  readonly value: unknown;
  /**
   * Keeps a value there, unless the scope was emptied since the slot was opened. Never fails.
   * @param value something that JSON can carry
   * @param bytes roughly what it takes in memory
   */
  keep(value: unknown, bytes: number): void;
}

/** Values that can be done without. Nothing here fails, and nothing waits for long. */
export interface Cache {
  /** @param scope what is emptied together: a user's project */
  open(scope: string, key: string): Promise<CacheSlot>;
  /** Nothing that was kept in the scope before is found again. */
  empty(scope: string): void;
}

/** A scope for each user and project: one user's entries are never found by another. */
export function scopeOf(userId: string, projectId: string): string {
  return JSON.stringify([userId, projectId]);
}

/** What two ways of writing one question have in common. */
export function normalised(question: string): string {
  return question.normalize('NFKC').toLowerCase().trim().replace(/\s+/g, ' ');
}

const SQLITE_FULL = 13;
/** SQLITE_BUSY and SQLITE_LOCKED; the extended codes carry them in the lowest byte. */
const SQLITE_BUSY = new Set([5, 6]);
const FULL_DISK = new Set(['ENOSPC', 'EDQUOT']);

/** A database outside of this process did not do its work: it is unreachable, locked, restarting or too slow. */
export class StorageUnavailable extends Error {
  /** Nothing was changed, and the same work may succeed at once: over another connection, or after a deadlock. */
  readonly isRepeatable: boolean;

  constructor(message: string, { isRepeatable, cause }: { isRepeatable: boolean; cause?: unknown }) {
    super(message, { cause });
    this.isRepeatable = isRepeatable;
  }
}

/** The disk of a database outside of this process is full. */
export class StorageFullError extends Error {
  readonly code = 'ENOSPC';
}

/** A text has the character U+0000, which PostgreSQL does not store. */
export class UnstorableText extends Error {
  constructor(options?: ErrorOptions) {
    super('a text with the character U+0000 cannot be stored; remove this character', options);
  }
}

/** Whether a write failed because the disk, the quota or the database has no room left. */
export function isStorageFull(error: unknown): boolean {
  const { code, errcode } = (error ?? {}) as { code?: unknown; errcode?: unknown };
  if (code === 'ERR_SQLITE_ERROR') return primary(errcode) === SQLITE_FULL;
  return typeof code === 'string' && FULL_DISK.has(code);
}

/**
 * Whether a database was locked for longer than a write waits (by a backup, another process or a slow disk), or was not
 * available.
 */
export function isStorageBusy(error: unknown): boolean {
  if (error instanceof StorageUnavailable) return true;
  const { code, errcode } = (error ?? {}) as { code?: unknown; errcode?: unknown };
  return code === 'ERR_SQLITE_ERROR' && SQLITE_BUSY.has(primary(errcode));
}

const primary = (errcode: unknown) => Number(errcode) & 0xff;

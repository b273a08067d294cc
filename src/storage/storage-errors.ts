const SQLITE_FULL = 13;
/** SQLITE_BUSY and SQLITE_LOCKED; the extended codes carry them in the lowest byte. */
const SQLITE_BUSY = new Set([5, 6]);
const FULL_DISK = new Set(['ENOSPC', 'EDQUOT']);

/** Whether a write failed because the disk, the quota or the database has no room left. */
export function isStorageFull(error: unknown): boolean {
  const { code, errcode } = (error ?? {}) as { code?: unknown; errcode?: unknown };
  if (code === 'ERR_SQLITE_ERROR') return primary(errcode) === SQLITE_FULL;
  return typeof code === 'string' && FULL_DISK.has(code);
}

/** Whether a database was locked for longer than a write waits: by a backup, another process or a slow disk. */
export function isStorageBusy(error: unknown): boolean {
  const { code, errcode } = (error ?? {}) as { code?: unknown; errcode?: unknown };
  return code === 'ERR_SQLITE_ERROR' && SQLITE_BUSY.has(primary(errcode));
}

const primary = (errcode: unknown) => Number(errcode) & 0xff;

const SQLITE_FULL = 13;
const FULL_DISK = new Set(['ENOSPC', 'EDQUOT']);

/** Whether a write failed because the disk, the quota or the database has no room left. */
export function isStorageFull(error: unknown): boolean {
  const { code, errcode } = (error ?? {}) as { code?: unknown; errcode?: unknown };
  if (code === 'ERR_SQLITE_ERROR') return errcode === SQLITE_FULL;
  return typeof code === 'string' && FULL_DISK.has(code);
}

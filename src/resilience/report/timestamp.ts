/** UTC without a zone, for instance 2025-11-15T10:30:45.123000; the clock knows milliseconds. */
export function timestamp(ms: number = Date.now()): string {
  return `${new Date(ms).toISOString().slice(0, -1)}000`;
}

/** Milliseconds since 1970, monotonic while the process runs, however its clock is set. */
export function arrivalMs(): number {
  return performance.timeOrigin + performance.now();
}

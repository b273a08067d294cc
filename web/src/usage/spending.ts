import type { LedgerRow } from '../api/shapes.ts';

/** How many days are shown, today included. */
export const DAYS = 30;

export interface DaySpending {
  /** The day's first moment, in the local time zone. */
  day: Date;
  credits: number;
}

const firstDay = (now: Date) => new Date(now.getFullYear(), now.getMonth(), now.getDate() - (DAYS - 1));

/** Whether rows, newest first, go back to before the days that are shown. */
export function coversAllDays(rows: readonly LedgerRow[], now: Date): boolean {
  const oldest = rows.at(-1);
  return oldest !== undefined && new Date(oldest.created_at) < firstDay(now);
}

/**
 * The time of the oldest row, where the rows, newest first, are not all that belong to the days that are shown.
 * @param total how many rows the ledger has
 */
export function beginOf(rows: readonly LedgerRow[], total: number, now: Date): string | undefined {
  return rows.length >= total || coversAllDays(rows, now) ? undefined : rows.at(-1)?.created_at;
}

/** What was spent on each of the last days, oldest first; days without spending are there too. */
export function spentByDay(rows: readonly LedgerRow[], now: Date): DaySpending[] {
  const days = Array.from({ length: DAYS }, (_, index) => ({
    day: new Date(now.getFullYear(), now.getMonth(), now.getDate() - (DAYS - 1 - index)),
    credits: 0,
  }));
  for (const { created_at, credits } of rows) {
    if (credits >= 0) continue;
    const at = new Date(created_at);
    const day = days.findLast((candidate) => candidate.day <= at);
    if (day !== undefined) day.credits -= credits;
  }
  return days;
}

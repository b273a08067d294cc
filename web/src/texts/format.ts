const number = new Intl.NumberFormat();
const dateTime = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });
const date = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium' });
const time = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' });
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto' });

const UNITS = [
  ['year', 365 * 86_400_000],
  ['month', 30 * 86_400_000],
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
] as const;

export const formatNumber = (value: number) => number.format(value);
export const formatDate = (at: Date | string) => date.format(new Date(at));
export const formatDateTime = (at: Date | string) => dateTime.format(new Date(at));
export const formatTime = (at: Date | string) => time.format(new Date(at));

/** `3 hours ago`, in the language of the browser. */
export function formatAgo(at: Date | string, nowMs = Date.now()): string {
  const pastMs = new Date(at).getTime() - nowMs;
  for (const [unit, unitMs] of UNITS) {
    if (Math.abs(pastMs) >= unitMs) return relative.format(Math.trunc(pastMs / unitMs), unit);
  }
  return relative.format(0, 'minute');
}

/** `in 30 days`, `tomorrow` or `today`. */
export function formatDaysUntil(at: Date | string, nowMs = Date.now()): string {
  return relative.format(Math.max(0, Math.round((new Date(at).getTime() - nowMs) / 86_400_000)), 'day');
}

const BYTE_UNITS = ['byte', 'kilobyte', 'megabyte', 'gigabyte'] as const;

export function formatBytes(bytes: number): string {
  const power = bytes < 1000 ? 0 : Math.min(3, Math.floor(Math.log10(bytes) / 3));
  return new Intl.NumberFormat(undefined, {
    style: 'unit',
    unit: BYTE_UNITS[power],
    unitDisplay: power === 0 ? 'long' : 'short',
    maximumFractionDigits: power === 0 ? 0 : 1,
  }).format(bytes / 1000 ** power);
}

/** A time of the status calls: UTC, to the microsecond, without a zone. */
export const utc = (text: string): Date => new Date(/Z|[+-]\d\d:\d\d$/.test(text) ? text : `${text.slice(0, 23)}Z`);

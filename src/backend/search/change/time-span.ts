import { type Asking, wholeWords } from './asking.js';

/** Milliseconds since 1970; `until` excluded. */
export interface TimeSpan {
  since?: number;
  until?: number;
}

type Unit = 'hour' | 'day' | 'week' | 'month' | 'year';
const DAY_MS = 86_400_000;
const UNIT_MS: Record<Unit, number> = {
  hour: 3_600_000,
  day: DAY_MS,
  week: 7 * DAY_MS,
  month: 31 * DAY_MS,
  year: 366 * DAY_MS,
};
const UNITS = Object.keys(UNIT_MS) as Unit[];
const RECENT_MS = 14 * DAY_MS;
const ORDINAL = '(?:st|nd|rd|th|er|º|\\.)?';

/**
 * The time span that a question names, in its language, and the question without it. A span such as "last week" extends
 * to the present: newer changes come first and carry their date. Days begin at 0:00 UTC and weeks on Monday, because
 * the user's time zone is unknown. The words for units, months, weekdays and "last week" are those of CLDR, by `Intl`.
 */
export function timeSpan(text: string, asking: Asking, now: Date): { span: TimeSpan; rest: string } {
  const words = wordsOf(asking);
  const dates = datesIn(text, words, now);
  if (dates.days.length > 0) return { span: spanOfDays(dates.days, text, words), rest: dates.rest };
  for (const [pattern, spanOf] of words.relative) {
    const found = new RegExp(pattern, 'iu').exec(text);
    if (found !== null) return { span: spanOf(found, now), rest: text.replace(found[0], ' ') };
  }
  return { span: {}, rest: text };
}

interface Words {
  since: RegExp;
  before: RegExp;
  /** In calendar order, in lower case. */
  months: readonly string[];
  dayMonth: RegExp;
  monthDay: RegExp;
  /** In the order in which they are tried. */
  relative: readonly [pattern: RegExp, span: (found: RegExpExecArray, now: Date) => TimeSpan][];
}

const known = new Map<string, Words>();

function wordsOf(asking: Asking): Words {
  const words = known.get(asking.language) ?? makeWords(asking);
  known.set(asking.language, words);
  return words;
}

function makeWords({ language, since, before, recently, today, numbers }: Asking): Words {
  const months = namesOf(12, (n) => new Date(Date.UTC(2026, n, 15)), { month: 'long' }, language);
  const month = months.map(escaped).join('|');
  const year = String.raw`(?:,?\s+(?:de\s+)?(\d{4}))?`;
  return {
    since: wholeWords(since),
    before: wholeWords(before),
    months,
    dayMonth: wholeWords(String.raw`(\d{1,2})${ORDINAL}\s+(?:de\s+|of\s+)?(${month})${year}`),
    monthDay: wholeWords(String.raw`(${month})\s+(\d{1,2})${ORDINAL}${year}`),
    relative: [
      [wholeWords(today), (_, now) => ({ since: startOfDay(now) })],
      ...UNITS.flatMap((unit) => named(unit, language)),
      ...UNITS.map((unit) => counted(unit, language, numbers)),
      ...weekdays(language),
      ...wholeMonths(months, year, language, since),
      [wholeWords(recently), (_, now) => ({ since: startOfDay(now) - RECENT_MS })],
    ],
  };
}

/** "yesterday", "last week", "this month". */
function named(unit: Unit, language: string): Words['relative'][number][] {
  if (unit === 'hour') return [];
  const format = new Intl.RelativeTimeFormat(language, { numeric: 'auto' });
  return [-2, -1, 0].flatMap((n) => {
    const phrase = plain(format.format(n, unit));
    if (/\d/.test(phrase)) return [];
    const spellings =
      language === 'en' ? `${escaped(phrase)}|${escaped(phrase.replace('last', 'past'))}` : escaped(phrase);
    return [[wholeWords(spellings), (_: unknown, now: Date) => ({ since: startOf(unit, -n, now) })] as const];
  });
}

/** "in the last 3 days", "vor zwei Stunden": a number before the unit's name in any form of it. */
function counted(unit: Unit, language: string, numbers: readonly string[]): Words['relative'][number] {
  const format = new Intl.NumberFormat(language, { style: 'unit', unit, unitDisplay: 'long' });
  const forms = [1, 2, 5].map((n) => plain(format.format(n)).replace(/^[\d\s]+/, ''));
  const stem = forms.reduce((common, form) => {
    let same = 0;
    while (same < common.length && common[same] === form[same]) same++;
    return common.slice(0, same);
  });
  const pattern = new RegExp(
    String.raw`(?<![\p{L}\p{N}])(\d{1,3}|${numbers.join('|')})\s+${escaped(stem)}\p{L}{0,3}(?![\p{L}\p{N}])`,
    'iu',
  );
  return [
    pattern,
    ([, count = ''], now) => {
      const from = now.getTime() - numberOf(count, numbers) * UNIT_MS[unit];
      return { since: unit === 'hour' ? from : startOfDay(new Date(from)) };
    },
  ];
}

function numberOf(text: string, numbers: readonly string[]): number {
  if (/^\d/.test(text)) return Number(text);
  return numbers.findIndex((word) => new RegExp(`^(?:${word})$`, 'iu').test(text)) + 1;
}

/** "in November", "November 2025": the most recent such month, including the current one. */
function wholeMonths(
  months: readonly string[],
  year: string,
  language: string,
  since: string,
): Words['relative'][number][] {
  // "may" and "march" are also verbs.
  const before =
    language === 'en' ? String.raw`(?:(?:in|of|during|last|this)|(${since}))\s+` : String.raw`(?:(${since})\s+)?`;
  return months.map((name, month) => [
    wholeWords(before + escaped(name) + year),
    ([, from, y], now) => {
      const isLater = month > now.getUTCMonth();
      const inYear = y === undefined ? now.getUTCFullYear() - (isLater ? 1 : 0) : Number(y);
      const first = Date.UTC(inYear, month, 1);
      return from === undefined ? { since: first, until: Date.UTC(inYear, month + 1, 1) } : { since: first };
    },
  ]);
}

/** The most recent such day, including today. */
function weekdays(language: string): Words['relative'][number][] {
  const names = namesOf(7, (n) => new Date(Date.UTC(2026, 10, 22 + n)), { weekday: 'long' }, language);
  return names.map((name, weekday) => [
    wholeWords(escaped(name)),
    (_, now) => {
      const day = startOfDay(now) - ((now.getUTCDay() - weekday + 7) % 7) * DAY_MS;
      return { since: day, until: day + DAY_MS };
    },
  ]);
}

/** The starts of the days that a text names, in milliseconds: 2026-11-26, 26.11.2026, November 26, 26 novembre 2025. */
function datesIn(text: string, { months, dayMonth, monthDay }: Words, now: Date): { days: number[]; rest: string } {
  const days: number[] = [];
  const take = (year: number | undefined, month: number, day: number, whole: string) => {
    const ms = dayOf(year, month, day, now);
    if (ms === undefined) return whole;
    days.push(ms);
    return ' ';
  };
  const number = (text: string | undefined) => (text === undefined ? undefined : Number(text));
  const monthOf = (name: string) => months.indexOf(name.toLowerCase());
  const rest = text
    .replace(/\b(\d{4})-(\d{2})-(\d{2})\b/g, (whole, y: string, m: string, d: string) =>
      take(Number(y), Number(m) - 1, Number(d), whole),
    )
    .replace(/\b(\d{1,2})\.(\d{1,2})\.(\d{4})\b/g, (whole, d: string, m: string, y: string) =>
      take(Number(y), Number(m) - 1, Number(d), whole),
    )
    .replace(dayMonth, (whole, d: string, m: string, y: string | undefined) =>
      take(number(y), monthOf(m), Number(d), whole),
    )
    .replace(monthDay, (whole, m: string, d: string, y: string | undefined) =>
      take(number(y), monthOf(m), Number(d), whole),
    );
  return { days, rest };
}

/** Without a year the most recent such day, including today. Undefined for an invalid date. */
function dayOf(year: number | undefined, month: number, day: number, now: Date): number | undefined {
  const inYear = (y: number) => {
    const date = new Date(Date.UTC(y, month, day));
    return date.getUTCMonth() === month && date.getUTCDate() === day ? date.getTime() : undefined;
  };
  if (year !== undefined) return inYear(year);
  const thisYear = inYear(now.getUTCFullYear());
  return thisYear !== undefined && thisYear <= now.getTime() ? thisYear : inYear(now.getUTCFullYear() - 1);
}

/** "since" or "before" a day; otherwise the day, or the days from the first to the last. */
function spanOfDays(days: readonly number[], text: string, { since, before }: Words): TimeSpan {
  const [first, last] = [Math.min(...days), Math.max(...days)];
  if (days.length === 1 && text.search(since) !== -1) return { since: first };
  if (days.length === 1 && text.search(before) !== -1) return { until: first };
  return { since: first, until: last + DAY_MS };
}

function startOf(unit: Unit, ago: number, now: Date): number {
  const [year, month, day] = [now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate()];
  if (unit === 'year') return Date.UTC(year - ago, 0, 1);
  if (unit === 'month') return Date.UTC(year, month - ago, 1);
  if (unit === 'week') return Date.UTC(year, month, day - ((now.getUTCDay() + 6) % 7) - 7 * ago);
  return Date.UTC(year, month, day - ago);
}

const startOfDay = (time: Date) => startOf('day', 0, time);

function namesOf(count: number, dateOf: (n: number) => Date, options: object, language: string): string[] {
  const format = new Intl.DateTimeFormat(language, { ...options, timeZone: 'UTC' });
  return Array.from({ length: count }, (_, n) => format.format(dateOf(n)).toLowerCase());
}

/** Normalises apostrophes and spaces to those that people type. */
export const plain = (text: string) => text.replace(/[’ʼ]/g, "'").replace(/[\u00a0\u202f]/g, ' ');

const escaped = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);

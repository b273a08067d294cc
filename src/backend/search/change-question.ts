import { STOP_WORDS } from '../../text/stop-words.js';

/** What a question about change asks for. */
export interface ChangeQuestion {
  /** UTC, ISO 8601; `until` excluded. */
  since?: string;
  until?: string;
  /** The words that name what was changed; empty: everything. */
  about: string;
  /** Whether it is about the documents themselves, however little of them its words name. */
  sure: boolean;
}

const DONE = 'changed|edited|modified|rewritten|rewrote|revised|updated|added|removed|deleted|committed';
const DO = 'change|edit|modify|rewrite|revise|update|add|remove|delete|commit|write';
/** A longer message is no question about change: it is a text that something is to be done with. */
const MAX_QUESTION_CHARS = 2000;
/** The query of the git server takes no more. */
const MAX_ABOUT_CHARS = 500;
const words = (alternatives: string) => new RegExp(String.raw`\b(?:${alternatives})\b`, 'gi');
/**
 * A question about change asks who, what, when, which, where or how often something was changed, what somebody did change,
 * or who wrote something: one of the first words, and one of the second ones behind it.
 */
const ASKS_IN_ORDER = [
  [words('who|what|when|which|where|how often'), words(DONE)],
  [words('did'), words(DO)],
  [words('who|when'), words('wrote|written|created')],
] as const;
/** Or it asks what is new, or for a history, commits or changes. */
const ASKS = [
  words(String.raw`(?:what|anything|everything)(?:['’]s| is| was)? new`),
  words('history|commits?|revisions?|change ?log|(?:latest|recent|last) changes'),
  words('changes (?:to|in|of|since|from|last|this)'),
];
/** "When was the church modified?" may well be about a church; these can only be about the documents. */
const SURELY = /\b(?:i|we|my|our|who|history|commits?|revisions?|change ?log|changes)\b/i;
const ASKING = new RegExp(
  String.raw`\b(?:${DONE}|${DO}|wrote|written|made|created|history|commits?|changes|revisions?|change ?log|new|latest|recent(?:ly)?|last|past|this|since|until|before|after|between|today|yesterday|ago|days?|weeks?|months?|years?|often|documents?|files?|anything|everything|anybody|anyone|someone|somebody|me|my|project|show|list|tell|give|time)\b`,
  'gi',
);
const DATE = /\b\d{4}-\d{2}-\d{2}\b/g;
const DAY_MS = 86_400_000;

/** What is asked about change, in English; undefined where it is something else that is asked. */
export function changeQuestion(question: string, now: Date): ChangeQuestion | undefined {
  if (question.length > MAX_QUESTION_CHARS || !asksAboutChange(question)) return undefined;
  const span = timeSpan(question, now);
  const about = question
    .replace(TIMES, ' ')
    .replace(DATE, ' ')
    .replace(/['’]s?\b/g, ' ')
    .replace(ASKING, ' ')
    .split(/[^\p{L}\p{N}./_-]+/u)
    .map((word) => word.replace(/^[./_-]+|(?<![./_-])[./_-]+$/g, ''))
    .filter((word) => word !== '' && !STOP_WORDS.has(word.toLowerCase()));
  const sure = span.since !== undefined || span.until !== undefined || SURELY.test(question);
  return { ...span, about: about.join(' ').slice(0, MAX_ABOUT_CHARS), sure };
}

function asksAboutChange(question: string): boolean {
  if (ASKS.some((rule) => question.search(rule) !== -1)) return true;
  return ASKS_IN_ORDER.some(([first, second]) => {
    const from = question.search(first);
    const last = [...question.matchAll(second)].at(-1);
    return from !== -1 && last !== undefined && last.index > from;
  });
}

const TIMES =
  /\b(?:today|yesterday|recently|lately|(?:this|last|past) (?:week|month|year)|(?:in |over |during )?(?:the )?(?:last|past) \d{1,3} (?:days?|weeks?|months?)|\d{1,3} (?:days?|weeks?|months?) ago)\b/gi;
const UNIT_DAYS: Record<string, number> = { day: 1, week: 7, month: 31, year: 366 };
const RECENT_DAYS = 14;

/**
 * From when, and for dates until when. A span like "last week" begins with the week before (weeks begin on Monday, days at
 * 0:00 UTC) and reaches to now: what is newer stands first and carries its date, and nobody's time zone is known.
 */
function timeSpan(question: string, now: Date): Pick<ChangeQuestion, 'since' | 'until'> {
  const text = question.toLowerCase();
  const dates = [...text.matchAll(DATE)]
    .map(([date]) => new Date(date))
    .filter((date) => !Number.isNaN(date.getTime()));
  if (dates.length > 0) return datedSpan(text, dates);
  const today = Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate());
  const from = (ms: number) => ({ since: new Date(ms).toISOString() });
  if (/\btoday\b/.test(text)) return from(today);
  if (/\byesterday\b/.test(text)) return from(today - DAY_MS);
  const counted = /\b(?:last|past) (\d{1,3}) (day|week|month)s?\b|\b(\d{1,3}) (day|week|month)s? ago\b/.exec(text);
  if (counted !== null) {
    const [count, unit] = [Number(counted[1] ?? counted[3]), String(counted[2] ?? counted[4])];
    return from(today - count * (UNIT_DAYS[unit] as number) * DAY_MS);
  }
  const named = /\b(this|last|past) (week|month|year)\b/.exec(text);
  if (named !== null) return from(startOf(named[2] as string, named[1] === 'this' ? 0 : 1, now));
  if (/\b(?:recently|lately|what(?:'s| is) new)\b/.test(text)) return from(today - RECENT_DAYS * DAY_MS);
  return {};
}

/** "since", "before" or "between" dates; else the day, or the days from the first to the last. */
function datedSpan(text: string, dates: readonly Date[]): Pick<ChangeQuestion, 'since' | 'until'> {
  const times = dates.map((date) => date.getTime()).sort((a, b) => a - b);
  const [first, last] = [times[0] as number, times.at(-1) as number];
  if (times.length === 1 && /\b(?:since|after)\b/.test(text)) return { since: new Date(first).toISOString() };
  if (times.length === 1 && /\b(?:before|until)\b/.test(text)) return { until: new Date(first).toISOString() };
  return { since: new Date(first).toISOString(), until: new Date(last + DAY_MS).toISOString() };
}

function startOf(unit: string, ago: number, now: Date): number {
  const [year, month, day] = [now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate()];
  if (unit === 'year') return Date.UTC(year - ago, 0, 1);
  if (unit === 'month') return Date.UTC(year, month - ago, 1);
  return Date.UTC(year, month, day - ((now.getUTCDay() + 6) % 7) - 7 * ago);
}

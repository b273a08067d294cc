import { STOP_WORDS } from '../../../text/stop-words.js';
import { ASKING, type Asking, wholeWords } from './asking.js';
import { plain, timeSpan } from './time-span.js';

/** The parts of a question about changes. */
export interface ChangeQuestion {
  /** UTC, ISO 8601; `until` excluded. */
  since?: string;
  until?: string;
  /** The words that name the changed documents; empty: all documents. */
  about: string;
  /** Whether it is about the documents themselves, even if its words hardly name them. */
  sure: boolean;
}

/** A longer message is not a question about changes but a text to work on. */
const MAX_QUESTION_CHARS = 2000;
/** The longest query that the git server accepts. */
const MAX_ABOUT_CHARS = 500;

interface Patterns {
  asking: Asking;
  inOrder: readonly (readonly [RegExp, RegExp])[];
  alone: RegExp;
  surely: RegExp;
  filler: RegExp;
}

const PATTERNS: readonly Patterns[] = ASKING.map((asking) => ({
  asking,
  inOrder: asking.inOrder.map(([first, second]) => [wholeWords(first), wholeWords(second)] as const),
  alone: wholeWords(asking.alone),
  surely: wholeWords(asking.surely),
  filler: new RegExp(`^(?:${[asking.filler, ...asking.inOrder.map(([, second]) => second)].join('|')})$`, 'iu'),
}));

/**
 * Parses a question about changes, in any of the languages of {@link ASKING}: the person who changed something, the
 * change or its time, recent changes, or the history. Undefined for any other question.
 */
export function changeQuestion(question: string, now: Date): ChangeQuestion | undefined {
  if (question.length > MAX_QUESTION_CHARS) return undefined;
  const text = plain(question);
  const patterns = PATTERNS.find((each) => asks(text, each));
  if (patterns === undefined) return undefined;
  const { span, rest } = timeSpan(text, patterns.asking, now);
  const isDated = span.since !== undefined || span.until !== undefined;
  return {
    ...(span.since !== undefined && { since: new Date(span.since).toISOString() }),
    ...(span.until !== undefined && { until: new Date(span.until).toISOString() }),
    about: aboutOf(rest, patterns),
    sure: isDated || text.search(patterns.surely) !== -1,
  };
}

function asks(text: string, { alone, inOrder }: Patterns): boolean {
  if (text.search(alone) !== -1) return true;
  return inOrder.some(([first, second]) => {
    const from = text.search(first);
    const last = [...text.matchAll(second)].at(-1);
    return from !== -1 && last !== undefined && last.index > from;
  });
}

function aboutOf(text: string, { filler }: Patterns): string {
  const words = text
    .replace(/'s?(?![\p{L}])|'/giu, ' ')
    .split(/[^\p{L}\p{N}./_-]+/u)
    .map((word) => word.replace(/^[./_-]+|(?<![./_-])[./_-]+$/g, ''))
    .filter((word) => word !== '' && !STOP_WORDS.has(word.toLowerCase()) && !filler.test(word));
  return words.join(' ').slice(0, MAX_ABOUT_CHARS);
}

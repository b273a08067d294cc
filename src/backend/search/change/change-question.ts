import { STOP_WORDS } from '../../../text/stop-words.js';
import { ASKING, type Asking, wholeWords } from './asking.js';
import { plain, timeSpan } from './time-span.js';

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

/** A longer message is no question about change: it is a text that something is to be done with. */
const MAX_QUESTION_CHARS = 2000;
/** The query of the git server takes no more. */
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
 * What is asked about change, in any of the languages of {@link ASKING}: who, what or when somebody changed something, what
 * is new, or the history. undefined where something else is asked.
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

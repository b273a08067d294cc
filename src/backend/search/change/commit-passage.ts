import type { z } from 'zod';
import type { gitContract } from '../../../downstream/git/git.contract.js';
import type { Passage } from '../../../contract/passage.contract.js';

type Commit = z.output<typeof gitContract.changes.response>['changes'][number];

/** A change that is not committed yet. */
export interface WaitingChange {
  path: string;
  author: string;
  message: string;
  committed_at: string;
  deleted: boolean;
}

const MAX_CHARS = 2000;
const MAX_HIGHLIGHT_CHARS = 300;

/** A commit as a passage: a sentence with author and time, the message, and the changed lines. */
export function commitPassage({ path, commit, author, message, committed_at, diff }: Commit): Passage {
  const date = committed_at.slice(0, 10);
  const sentence = `${author} ${verb(diff)} ${path} on ${date} at ${committed_at.slice(11, 16)} UTC.`;
  const lines = changedLines(diff);
  const text = [sentence, message, lines].filter(Boolean).join('\n\n').slice(0, MAX_CHARS);
  const changed = lines.slice(0, MAX_HIGHLIGHT_CHARS);
  return {
    document: path,
    chunk: 0,
    title: `Commit ${commit.slice(0, 7)} by ${author} on ${date}`,
    text,
    start: 0,
    end: text.length,
    highlights: changed !== '' && text.includes(changed) ? [sentence, changed] : [sentence],
    score: 1,
  };
}

/** The same for a change that waits for its commit, whose texts have not been compared yet. */
export function waitingPassage({ path, author, message, committed_at, deleted }: WaitingChange): Passage {
  const date = committed_at.slice(0, 10);
  const done = deleted ? 'deleted' : 'saved';
  const sentence = `${author} ${done} ${path} on ${date} at ${committed_at.slice(11, 16)} UTC.`;
  const text = `${sentence}\n\n${message}`.slice(0, MAX_CHARS);
  const title = `Change by ${author} on ${date}, not yet committed`;
  return { document: path, chunk: 0, title, text, start: 0, end: text.length, highlights: [sentence], score: 1 };
}

function verb(diff: string): string {
  if (/^new file mode /m.test(diff)) return 'added';
  return /^deleted file mode /m.test(diff) ? 'deleted' : 'changed';
}

/** A diff without its headers: the removed and added lines, with one line before and after. */
function changedLines(diff: string): string {
  const start = diff.search(/^@@ /m);
  if (start < 0) return '';
  return diff
    .slice(start)
    .split('\n')
    .filter((line) => !/^(@@ |\\ No newline)/.test(line))
    .join('\n')
    .trimEnd();
}

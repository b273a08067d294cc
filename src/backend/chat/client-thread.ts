import { createHash } from 'node:crypto';
import type { PriorMessage } from './prompt.js';

/**
 * The key by which a turn is found when its client continues from it: OpenAI's clients send all earlier messages with
 * each question, and no id. `key` separates the threads of one account, for instance by the `user` of the request.
 */
export function threadOf(key: string, question: string, answer: string): string {
  return createHash('sha256')
    .update(JSON.stringify([key, question.trim(), answer.trim()]))
    .digest('base64url');
}

/** The thread of the last question and answer among a client's messages; undefined where there is no answer yet. */
export function lastThread(key: string, prior: readonly PriorMessage[]): string | undefined {
  const end = prior.findLastIndex(({ role }) => role === 'assistant') + 1;
  if (end === 0) return undefined;
  const middle = prior.findLastIndex(({ role }, index) => index < end && role === 'user') + 1;
  const begin = prior.findLastIndex(({ role }, index) => index < middle && role === 'assistant') + 1;
  if (middle === 0) return undefined;
  const text = (from: number, to: number) =>
    prior
      .slice(from, to)
      .map((message) => message.text)
      .filter((part) => part !== '')
      .join('\n\n');
  return threadOf(key, text(begin, middle), text(middle, end));
}

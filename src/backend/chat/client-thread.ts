import { createHash } from 'node:crypto';
import type { PriorMessage } from './prompt.js';

/**
 * What a turn is found by when its client goes on from it: OpenAI's clients send all that was said with each question, and no
 * id. `key` tells the threads of one account apart, for instance the `user` of the request.
 */
export function threadOf(key: string, question: string, answer: string): string {
  return createHash('sha256')
    .update(JSON.stringify([key, question.trim(), answer.trim()]))
    .digest('base64url');
}

/** The thread of the last question and answer that a client says there were; undefined where it has no answer yet. */
export function lastThread(key: string, said: readonly PriorMessage[]): string | undefined {
  const end = said.findLastIndex(({ role }) => role === 'assistant') + 1;
  if (end === 0) return undefined;
  const middle = said.findLastIndex(({ role }, index) => index < end && role === 'user') + 1;
  const begin = said.findLastIndex(({ role }, index) => index < middle && role === 'assistant') + 1;
  if (middle === 0) return undefined;
  const text = (from: number, to: number) =>
    said
      .slice(from, to)
      .map((message) => message.text)
      .filter((part) => part !== '')
      .join('\n\n');
  return threadOf(key, text(begin, middle), text(middle, end));
}

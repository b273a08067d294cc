import { describe, expect, it } from 'vitest';
import type { Turn } from '../api/shapes.ts';
import { type ChatMessage, mergedMessages, messagesOf, question, textOf, turnsIn } from './message.ts';

const turn = (id: string, more: Partial<Turn> = {}): Turn => ({
  message_id: id,
  created_at: '2026-01-01T00:00:00.000Z',
  question: `Question ${id}`,
  answer: { text: `Answer ${id}`, state: 'complete', metadata: {} },
  ...more,
});
const texts = (messages: ChatMessage[]) => messages.map(textOf);

describe('messages after stored turns were read', () => {
  const live: ChatMessage[] = [
    question('q1', 'Question a'),
    {
      id: 'a',
      role: 'assistant',
      metadata: { state: 'complete' },
      parts: [
        { type: 'reasoning', text: 'Hm.' },
        { type: 'text', text: 'Answer a' },
      ],
    },
  ];

  it('keep what was streamed, and take the versions and the feedback from the store', () => {
    const [asked, answer] = mergedMessages(live, [turn('a', { siblings: ['a', 'b'] })]);
    expect(asked?.id).toBe('q1');
    expect(answer?.parts).toHaveLength(2);
    expect(answer?.metadata?.siblings).toEqual(['a', 'b']);
  });

  it('have the turns of other tabs behind those that are shown', () => {
    expect(texts(mergedMessages(live, [turn('a'), turn('b')]))).toEqual([
      'Question a',
      'Answer a',
      'Question b',
      'Answer b',
    ]);
  });

  it('keep earlier turns in front of a page that follows them', () => {
    const shown = [turn('a'), turn('b')].flatMap(messagesOf);
    expect(texts(mergedMessages(shown, [turn('b'), turn('c')]))).toHaveLength(6);
  });

  it('are those of the store alone where it shows another branch', () => {
    expect(texts(mergedMessages(live, [turn('c')]))).toEqual(['Question c', 'Answer c']);
  });

  it('end with the question where its answer is still being written', () => {
    const pending = turn('b', { answer: { text: 'Half', state: 'pending', metadata: {} } });
    expect(texts(mergedMessages(live, [turn('a'), pending])).at(-1)).toBe('Question b');
    expect(turnsIn(mergedMessages(live, [pending])).at(-1)?.answer).toBeUndefined();
  });
});

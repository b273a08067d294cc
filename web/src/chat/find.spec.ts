import { describe, expect, it } from 'vitest';
import { turnsWith } from './find.ts';
import { messagesOf } from './message.ts';

const turn = (question: string, text: string) => {
  const [asked, answer] = messagesOf({
    ...{ message_id: question, created_at: '', parent_id: null, question },
    answer: { text, state: 'complete', metadata: {} },
  });
  return { question: asked as NonNullable<typeof asked>, answer };
};

describe('turnsWith', () => {
  const turns = [turn('When do pears ripen?', 'In **September**, says `garden.md`.'), turn('And plums?', 'In August.')];

  it('finds words in questions and answers, in any case', () => {
    expect(turnsWith(turns, 'PLUMS')).toEqual([1]);
    expect(turnsWith(turns, ' in ')).toEqual([0, 1]);
    expect(turnsWith(turns, 'quinces')).toEqual([]);
  });

  it('finds what is shown and what was written', () => {
    expect(turnsWith(turns, 'In September, says garden')).toEqual([0]);
    expect(turnsWith(turns, '**September**')).toEqual([0]);
  });

  it('finds nothing for nothing', () => {
    expect(turnsWith(turns, '  ')).toEqual([]);
  });
});

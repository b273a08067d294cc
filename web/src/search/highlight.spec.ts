import { describe, expect, it } from 'vitest';
import { piecesOf } from './highlight.ts';

const marked = (text: string, query: string, sentences: string[] = [], max = 400) =>
  piecesOf(text, query, sentences, max)
    .map(({ text: piece, highlighted }) => (highlighted ? `[${piece}]` : piece))
    .join('');

describe('piecesOf', () => {
  it('highlights the words of a query and their forms', () => {
    expect(marked('Pears ripen; ripening takes days.', 'when do pears ripen')).toBe(
      '[Pears] [ripen]; [ripening] takes days.',
    );
  });

  it('highlights the sentence that matches where no word does', () => {
    expect(marked('Cold it is. Fruit keeps long.', 'storage', ['Fruit keeps long.'])).toBe(
      'Cold it is. [Fruit keeps long.]',
    );
  });

  it('begins near the first match and says what is cut off', () => {
    const text = `${'x '.repeat(200)}pears are good. ${'y '.repeat(200)}`;
    const shown = marked(text, 'pears', ['pears are good.'], 200);
    expect(shown).toMatch(/^… (x )+\[pears\] are good\. (y ?)+ …$/);
  });
});

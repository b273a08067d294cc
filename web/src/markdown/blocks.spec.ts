import { describe, expect, it } from 'vitest';
import { blocksOf } from './blocks.ts';

const texts = (text: string) => blocksOf(text).map((block) => block.text.trim());

describe('blocksOf', () => {
  it('cuts at empty lines and loses no character', () => {
    const text = '# One\n\nTwo\nstill two\n\n\nThree';
    expect(texts(text)).toEqual(['# One', 'Two\nstill two', 'Three']);
    expect(
      blocksOf(text)
        .map((block) => block.text)
        .join(''),
    ).toBe(text);
    for (const { start, text: piece } of blocksOf(text)) expect(text.slice(start, start + piece.length)).toBe(piece);
  });

  it('keeps code and formulas whole, also while they are still open', () => {
    expect(texts('a\n\n```ts\nx\n\ny\n```\n\nb')).toEqual(['a', '```ts\nx\n\ny\n```', 'b']);
    expect(texts('$$\nx\n\ny\n$$\n\nb')).toEqual(['$$\nx\n\ny\n$$', 'b']);
    expect(texts('```\nx\n\ny')).toEqual(['```\nx\n\ny']);
    expect(texts('$$x$$\n\nb')).toEqual(['$$x$$', 'b']);
  });

  it('keeps the items of a list together with what stands below them', () => {
    expect(texts('1. a\n\n   more\n\n2. b\n\nafter')).toEqual(['1. a\n\n   more\n\n2. b', 'after']);
  });
});

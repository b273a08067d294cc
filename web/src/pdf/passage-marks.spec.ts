import { describe, expect, it } from 'vitest';
import { passageMarks } from './passage-marks.ts';

const PAGE = [
  'Fruit of the season\n',
  'Pears ripen in Sep-\n',
  'tember. Store them cold\n',
  'and dark. Plums are earlier.',
];
const marked = (items: readonly string[], passage: string) =>
  passageMarks(items, passage).map(({ item, from, to }) => {
    const text = items[item] ?? '';
    return text.slice(Math.round(from * text.length), Math.round(to * text.length));
  });

describe('the marks of a passage on a page', () => {
  it('cover its words from the first to the last, over line ends and a hyphen', () => {
    expect(marked(PAGE, '**Pears ripen** in September. Store them cold and dark.')).toEqual([
      'Pears ripen in Sep-\n',
      'tember. Store them cold\n',
      'and dark',
    ]);
  });

  it('cover what the page has of a passage that began on the page before', () => {
    expect(marked(PAGE, 'Apples keep for months. Store them cold and dark.')).toEqual([
      'Store them cold\n',
      'and dark',
    ]);
  });

  it('cover a passage of one word', () => {
    expect(marked(PAGE, '# Plums')).toEqual(['Plums']);
  });

  it('are none where single words alone are the same', () => {
    expect(marked(PAGE, 'Cold and wet it is in the dark of a season')).toEqual([]);
    expect(marked(PAGE, '')).toEqual([]);
    expect(marked([], 'Pears ripen')).toEqual([]);
  });

  it('cover texts without spaces', () => {
    expect(marked(['梨は九月に熟す。', '冷たい所に置く。'], '九月に熟す')).toEqual(['九月に熟す。']);
  });
});

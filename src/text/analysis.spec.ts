import { terms } from './analysis.js';
import { highlights } from './highlights.js';
import { titleOf } from './title.js';

describe('terms', () => {
  it.each([
    ['The connections were connected', ['connect', 'connect']],
    ['Crème BRÛLÉE ﬁne', ['creme', 'brule', 'fine']],
    ["Newton's law isn’t", ['newton', 'law', 'isn']],
    ['日本語 a', ['日本', '本語']],
    ['readFileSync snake_case', ['read', 'file', 'sync', 'readfilesync', 'snake', 'case']],
    ['of the to', []],
    ['v1.25 42', ['v1', '25', '42']],
    ['한국어', ['한국어']],
  ])('%s', (text, expected) => {
    expect(terms(text)).toEqual(expected);
  });

  it('bounds what is no word', () => {
    expect(terms('x'.repeat(1_000_000))).toEqual(['x'.repeat(64)]);
  });
});

describe('highlights', () => {
  it('quotes the sentences that say most of what was asked, in their order', () => {
    const text = 'Foxes sleep. Lamps burn oil. The lamp is old. Nothing here.';
    expect(highlights(text, terms('oil lamps'))).toEqual(['Lamps burn oil.', 'The lamp is old.']);
    expect(highlights(text, terms('whales'))).toEqual([]);
  });
});

describe('titleOf', () => {
  it('is the first heading, else the file name', () => {
    expect(titleOf('notes/a.md', 'Some words.\n\n# A title #\n', 'text/markdown')).toBe('A title');
    expect(titleOf('notes/a.md', 'Some words.', 'text/markdown')).toBe('a.md');
  });
});

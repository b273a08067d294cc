import { Continuation, wholeWords } from './continuation.js';

/** The whole answer when a second model says `further`, a few letters at a time. */
function joined(said: string, further: string, step: number): string {
  const continuation = new Continuation(said);
  let text = said;
  for (let at = 0; at < further.length; at += step) text += continuation.push(further.slice(at, at + step));
  return text + continuation.end();
}

describe('Continuation', () => {
  it.each([
    ['what comes after a blank', 'The pears ripen ', 'in September.', 'The pears ripen in September.'],
    ['the last word again', 'The pears ripen', 'ripen in September.', 'The pears ripen in September.'],
    ['a cut word as a whole', 'The pears rip', 'ripen in September.', 'The pears ripen in September.'],
    ['the word after the last', 'The pears ripen', 'in September.', 'The pears ripen in September.'],
    ['a word behind its own blank', 'The pears ripen', ' in September.', 'The pears ripen in September.'],
    ['two blanks', 'The pears ripen ', ' in September.', 'The pears ripen in September.'],
    [
      'the whole sentence again',
      'The pears ripen in',
      'The pears ripen in September.',
      'The pears ripen in September.',
    ],
    ['everything again', 'A. The pears', 'A. The pears ripen.', 'A. The pears ripen.'],
    ['a full stop', 'The pears ripen', '. That is all.', 'The pears ripen. That is all.'],
    ['a citation', 'They ripen [1', '[1] early.', 'They ripen [1] early.'],
    ['a new paragraph', 'They ripen.', '\n\nThat is all.', 'They ripen.\n\nThat is all.'],
    ['a letter that is the same by chance', 'The', 'end', 'The end'],
    ['a script without spaces', '梨は九月', 'に熟す。', '梨は九月に熟す。'],
    ['nothing new', 'The pears ripen.', 'ripen.', 'The pears ripen.'],
    ['nothing', 'The pears', '', 'The pears'],
  ])('takes %s', (_what, said, further, whole) => {
    for (const step of [1, 2, 3, 100]) expect(joined(said, further, step)).toBe(whole);
  });

  it('continues from a complete word', () => {
    expect(wholeWords('The pears rip')).toBe('The pears ');
    expect(wholeWords('The pears ')).toBe('The pears ');
    expect(wholeWords('Die Größ')).toBe('Die ');
  });
});

import fc from 'fast-check';
import { splitPassages } from './passages.js';
import { sentences } from './sentences.js';

const piece = fc.oneof(
  fc.constantFrom('# A heading', '## Below it', 'Title\n=====', '```js\nlet x = 1;\n```', '- an item', '...', '!?'),
  fc.string({ unit: 'grapheme', maxLength: 60 }),
  fc.lorem({ maxCount: 60 }),
  fc.constantFrom('\n', '\n\n', ' ', '. ', '\r\n', '  \n'),
  fc.nat(4000).map((n) => 'x'.repeat(n)),
  fc.nat(2000).map((n) => '😀'.repeat(n)),
);
const anyText = fc.array(piece, { maxLength: 30 }).map((pieces) => pieces.join('\n'));

describe('splitPassages', () => {
  it('keeps exact offsets, order and every visible character, whatever the text', () => {
    fc.assert(
      fc.property(anyText, fc.constantFrom('text/markdown', 'text/plain', 'text/x-python'), (text, mediaType) => {
        let end = 0;
        for (const [index, passage] of splitPassages(text, mediaType).entries()) {
          expect(passage.chunk).toBe(index);
          expect(passage.start).toBeGreaterThanOrEqual(end);
          expect(text.slice(end, passage.start).trim()).toBe('');
          expect(passage.text).toBe(text.slice(passage.start, passage.end));
          expect(passage.text.trim()).not.toBe('');
          expect(passage.text.length).toBeLessThanOrEqual(2400);
          expect(passage.text.isWellFormed()).toBe(text.isWellFormed());
          end = passage.end;
        }
        expect(text.slice(end).trim()).toBe('');
      }),
      { numRuns: 300 },
    );
  });

  it('names the headings a passage stands under', () => {
    const body = 'Words that fill a section so that it stands alone. '.repeat(6);
    const text = `# Book\n\n## One\n\n${body}\n\n### Deep\n\n${body}\n\n## Two\n\n${body}`;
    expect(splitPassages(text, 'text/markdown').map((passage) => passage.title)).toEqual([
      'Book › One',
      'Book › One › Deep',
      'Book › Two',
    ]);
  });

  it('cuts a long section at its sentences, into parts of like size', () => {
    const text = Array.from({ length: 100 }, (_, i) => `This is sentence number ${i} of a long paragraph.`).join(' ');
    const passages = splitPassages(text, 'text/plain');
    expect(passages.length).toBe(3);
    for (const passage of passages) {
      expect(passage.text).toMatch(/^This .*paragraph\.$/s);
      expect(passage.text.length).toBeGreaterThan(1200);
    }
  });

  it('does not take a comment in source code for a heading', () => {
    expect(splitPassages('# settings\nx = 1\n', 'text/x-python')[0]?.title).toBe('');
  });

  it.each([
    ['one line of 5 MB', 'word '.repeat(1_000_000)],
    ['one word of 5 MB', 'x'.repeat(5_000_000)],
    ['full stops', '.'.repeat(3_000_000)],
    ['blanks', ' '.repeat(3_000_000) + '.'],
    ['open fences', '```\n'.repeat(500_000)],
    ['headings', '# a\n'.repeat(500_000)],
    ['stops and blanks', '. '.repeat(1_500_000)],
  ])('takes linear time: %s', (_, text) => {
    // Of this process alone: the machine may be busy with others.
    const before = process.cpuUsage();
    splitPassages(text, 'text/markdown');
    expect(process.cpuUsage(before).user / 1000).toBeLessThan(5000);
  });
});

describe('sentences', () => {
  it('knows abbreviations, initials, lists and stops set off by a space', () => {
    const text =
      'Dr. J. Smith came, cf. Fig. 3. He left!  (See below.) lower case . and so on .\n- one item\n- another';
    expect(sentences(text).map(({ start, end }) => text.slice(start, end))).toEqual([
      'Dr. J. Smith came, cf. Fig. 3.',
      'He left!',
      '(See below.) lower case .',
      'and so on .',
      '- one item',
      '- another',
    ]);
  });
});

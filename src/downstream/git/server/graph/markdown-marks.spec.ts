import fc from 'fast-check';
import { documentFacts } from './document-facts.js';
import { documentLinks, headings } from './markdown-marks.js';

describe('headings', () => {
  it.each([
    ['# One\n\n## Two ##\n###### Six\t\n', ['One', 'Two', 'Six']],
    ['#No blank\n####### Seven\n # Indented\n# \n#', []],
    ['# C#\r\n# A # b\n', ['C', 'A # b']],
  ])('%j', (text, expected) => expect(headings(text)).toEqual(expected));

  it('truncates a line that is longer than a heading', () => {
    expect(headings(`# ${'a'.repeat(2000)}`)[0]).toHaveLength(499);
  });
});

describe('documentLinks', () => {
  it.each([
    ['See [one](a.md) and [two](b/c.md#x).', { inline: ['a.md', 'b/c.md#x'], wiki: [] }],
    ['[[Plan]] and [[notes/x|the notes]], [[[deep]]', { inline: [], wiki: ['Plan', 'notes/x', 'deep'] }],
    ['](a.md) [no\nlabel](b.md) [t]( c.md) [t](c d.md) [t](', { inline: [], wiki: [] }],
    ['[a [b](c.md)', { inline: ['c.md'], wiki: [] }],
    ['[[]] [[a\nb]] [[|x]]', { inline: [], wiki: [] }],
  ])('%j', (text, expected) => expect(documentLinks(text)).toEqual(expected));

  it('finds the same matches as the patterns of Markdown', () => {
    const piece = fc.constantFrom('[', ']', '(', ')', '[[', ']]', '|', 'a', 'b.md', ' ', '\n', '](', '#');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        const text = pieces.join('');
        const inline = [...text.matchAll(/\[[^\]\n]{0,500}\]\(([^)\s]{1,500})\)/g)].map((match) => match[1]);
        expect(documentLinks(text).inline).toEqual(expect.arrayContaining(inline));
      }),
    );
  });
});

it.each([
  ['# x and blanks', '# x' + ' '.repeat(400_000)],
  ['lines of # x and blanks', ('# x' + ' '.repeat(4000) + '\n').repeat(100)],
  ['#', '#'.repeat(400_000)],
  ['[', '['.repeat(1_000_000)],
  ['](', ']('.repeat(500_000)],
  ['[](a', '[](a'.repeat(250_000)],
  ['[](a)', '[](a)'.repeat(200_000)],
  ['[[', `${'['.repeat(500)}]]`.repeat(2000)],
  ['[[a|', '[[a|'.repeat(250_000)],
])('reads a text of nothing but %s within a second', async (_, text) => {
  const began = process.threadCpuUsage();
  await documentFacts('a.md', text);
  expect(process.threadCpuUsage(began).user / 1000).toBeLessThan(1000);
});

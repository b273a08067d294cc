import fc from 'fast-check';
import { CitationFilter } from './citations.js';

function filtered(passages: number, parts: readonly string[]): string {
  const filter = new CitationFilter(passages);
  return parts.map((part) => filter.push(part)).join('') + filter.end();
}

describe('CitationFilter', () => {
  it('keeps citations that point to a passage and removes the others', () => {
    expect(filtered(2, ['Pears [1] ripen [3] first [2], see [99].'])).toBe('Pears [1] ripen first [2], see.');
  });

  it('handles lists and ranges', () => {
    expect(filtered(3, ['Pears [1, 3] ripen [2,9] first [4; 5], see [1-3] or [2–7].'])).toBe(
      'Pears [1, 3] ripen [2] first, see [1-3] or.',
    );
  });

  it('does not change code', () => {
    const code = 'Take `items[0]` or\n```\nitems[7] = `x`\n\nitems[8]\n```\n';
    expect(filtered(1, [...`${code}as said [9].`])).toBe(`${code}as said.`);
    expect(filtered(1, ['A lone ` mark.\n\nSee [9].'])).toBe('A lone ` mark.\n\nSee.');
  });

  it('does not change links, arrays and open brackets', () => {
    const text = 'See [1](a.md), a[i] and [7';
    expect(filtered(1, [text])).toBe(text);
  });

  it('gives the same result wherever the text is split', () => {
    const piece = fc.constantFrom('[', ']', ',', '`', '1', '9', ' ', 'a', '[1]', ' [5]');
    fc.assert(
      fc.property(fc.array(piece), (parts) => {
        // A blank that belongs to a removed citation may already have been shown: white space is not compared.
        const bare = (text: string) => text.replace(/\s/g, '');
        expect(bare(filtered(2, parts))).toBe(bare(filtered(2, [parts.join('')])));
      }),
    );
  });
});

import { tellingTerms } from './analysis.js';
import { highlights as highlightsOf } from './highlights.js';

const terms = (text: string) => tellingTerms(text).map((term) => ({ terms: [term], weight: 1 }));
const highlights = (text: string, asked: ReturnType<typeof terms>) =>
  highlightsOf({ document: 'a.md', text }, asked, 'en');

describe('highlights', () => {
  it('returns the matching sentences, verbatim and in their order', () => {
    const text = 'Pears are fruit. The sky is blue. Williams pears ripen first in September.';
    expect(highlights(text, terms('when do pears ripen'))).toEqual([
      'Pears are fruit.',
      'Williams pears ripen first in September.',
    ]);
    expect(highlights(text, terms('quantum'))).toEqual([]);
  });

  it('prefers a sentence to a heading or a table row, and uses those where there is nothing else', () => {
    expect(highlights('# Pears\n\nWilliams pears ripen first.', terms('pears ripen'))).toEqual([
      'Williams pears ripen first.',
    ]);
    expect(highlights('| pears | ripen | first |\n\nPears ripen in autumn.', terms('pears ripen'))).toEqual([
      'Pears ripen in autumn.',
    ]);
    expect(highlights('| pears | 7 |\n| plums | 9 |\n\nThey are fruit.', terms('how many plums'))).toEqual([
      '| plums | 9 |',
    ]);
    expect(highlights('# Pears\n\nThey keep.', terms('pears'))).toEqual(['# Pears']);
  });
});

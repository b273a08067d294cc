import type { Ranked } from '../../../../text/lexical-image.js';
import { fused, weightOfMeaning } from './fusion.js';

/** Passages `first`, `first + 1`, … with these scores. */
const ranking = (first: number, ...scores: number[]): Ranked[] => scores.map((score, i) => ({ id: first + i, score }));
const flat = (first: number) => ranking(first, ...Array.from({ length: 60 }, (_, i) => 10 - i / 100));
const steep = (first: number) => ranking(first, 10, ...Array.from({ length: 59 }, (_, i) => 1 - i / 100));
const first = (ranked: readonly Ranked[]) => ranked[0]?.id;
const never = () => {
  throw new Error('meaning has a weight');
};

describe('fused', () => {
  it('prefers what both lists hold where both are undecided', () => {
    const words = flat(1);
    const meaning = ranking(40, ...flat(0).map(({ score }) => score));
    expect(first(fused({ words, meaning, captured: 1 }, never))).toBe(40);
  });

  it('keeps the passage that stands out by words, whatever is nearest in meaning', () => {
    expect(first(fused({ words: steep(1), meaning: flat(1000), captured: 0.3 }, never))).toBe(1);
  });

  it('leaves a question that the embedder does not take in to words alone', () => {
    const alone = ranking(7, 1);
    expect(fused({ words: flat(1), meaning: flat(1000), captured: 0 }, () => alone)).toBe(alone);
    expect(fused({ words: flat(1), meaning: [], captured: 1 }, () => alone)).toBe(alone);
  });

  it('takes meaning alone where no word is known', () => {
    expect(first(fused({ words: [], meaning: flat(5), captured: 0.1 }, never))).toBe(5);
  });
});

describe('weightOfMeaning', () => {
  it('never gives meaning more than words', () => {
    expect(weightOfMeaning({ words: flat(1), meaning: flat(1), captured: 1 })).toBe(1);
  });

  it('is less where one passage stands out, in either list', () => {
    const undecided = weightOfMeaning({ words: flat(1), meaning: flat(1), captured: 0.2 });
    expect(weightOfMeaning({ words: steep(1), meaning: flat(1), captured: 0.2 })).toBeLessThan(undecided / 4);
    expect(weightOfMeaning({ words: flat(1), meaning: steep(1), captured: 0.2 })).toBeLessThan(undecided / 4);
  });
});

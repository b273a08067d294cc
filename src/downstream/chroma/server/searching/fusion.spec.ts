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
  it('prefers passages in both rankings where neither has a clear best one', () => {
    const words = flat(1);
    const meaning = ranking(40, ...flat(0).map(({ score }) => score));
    expect(first(fused({ words, meaning, captured: 1, passages: 2000 }, never))).toBe(40);
  });

  it('keeps a passage first that is far better by words, whatever is nearest in meaning', () => {
    expect(first(fused({ words: steep(1), meaning: flat(1000), captured: 0.3, passages: 2000 }, never))).toBe(1);
  });

  it('uses words only where the vector represents little of the question', () => {
    const alone = ranking(7, 1);
    expect(fused({ words: flat(1), meaning: flat(1000), captured: 0, passages: 2000 }, () => alone)).toBe(alone);
    expect(fused({ words: flat(1), meaning: [], captured: 1, passages: 2000 }, () => alone)).toBe(alone);
  });

  it('uses meaning only where no word is known', () => {
    expect(first(fused({ words: [], meaning: flat(5), captured: 0.1, passages: 2000 }, never))).toBe(5);
  });
});

describe('weightOfMeaning', () => {
  it('never weighs meaning more than words', () => {
    expect(weightOfMeaning({ words: flat(1), meaning: flat(1), captured: 1, passages: 2000 })).toBe(1);
  });

  it('is lower where one passage is far better, in either ranking', () => {
    const undecided = weightOfMeaning({ words: flat(1), meaning: flat(1), captured: 0.2, passages: 2000 });
    expect(weightOfMeaning({ words: steep(1), meaning: flat(1), captured: 0.2, passages: 2000 })).toBeLessThan(
      undecided / 4,
    );
    expect(weightOfMeaning({ words: flat(1), meaning: steep(1), captured: 0.2, passages: 2000 })).toBeLessThan(
      undecided / 4,
    );
  });
});

describe('weightOfMeaning of a model that learned elsewhere', () => {
  const words = flat(1);
  const of = (meaning: readonly Ranked[], coverage = 1) =>
    weightOfMeaning({ words, meaning, captured: 1, coverage, passages: 2000 });
  const mixed = Array.from({ length: 300 }, (_, i) => ({ id: (i * 7919) % 2000, score: 1 - i / 300 }));

  it('is above that of words where the model finds the passages that words find', () => {
    expect(of(flat(1))).toBeGreaterThan(1);
  });

  it('is zero where the rankings by words and by the model are unrelated', () => {
    expect(of(mixed)).toBe(0);
    expect(of(flat(1000))).toBe(0);
  });

  it('does not count a small project, where every passage is near, as agreement', () => {
    const meaning = Array.from({ length: 60 }, (_, i) => ({ id: 60 - i, score: 1 - i / 60 }));
    expect(weightOfMeaning({ words, meaning, captured: 1, coverage: 1, passages: 60 })).toBe(0);
  });

  it('grows with the share of the question for which the project has no words', () => {
    expect(of(mixed, 0.4)).toBeCloseTo(0.84);
    expect(of(mixed, 0.1)).toBeCloseTo(0.99);
    expect(of(mixed, 0.6)).toBe(0);
  });
});

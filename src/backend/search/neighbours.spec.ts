import type { Passage } from '../../contract/passage.contract.js';
import { joinNeighbours } from './neighbours.js';

const passage = (document: string, chunk: number, text: string, start: number): Passage => ({
  ...{ document, chunk, text, start, end: start + text.length },
  ...{ title: `Title ${chunk}`, highlights: [text], score: 1 / (1 + chunk) },
});

describe('joinNeighbours', () => {
  const [a0, a1, a2, a4] = [
    passage('a', 0, 'First.', 0),
    passage('a', 1, 'Second.', 8),
    passage('a', 2, 'Third.', 15),
    passage('a', 4, 'Fifth.', 60),
  ] as [Passage, Passage, Passage, Passage];
  const b1 = passage('b', 1, 'Other.', 8);

  it('joins consecutive passages at the rank of the best, in the order of the document', () => {
    expect(joinNeighbours([b1, a2, a4, a0, a1])).toEqual([
      b1,
      {
        ...a0,
        text: 'First.\n\nSecond.Third.',
        end: a2.end,
        highlights: ['First.', 'Second.', 'Third.'],
        score: a0.score,
      },
      a4,
    ]);
  });

  it('keeps passages separate that are not consecutive, in their order', () => {
    const [poor, good] = [
      { ...a0, score: 0.2 },
      { ...a1, score: 0.9 },
    ];
    expect(joinNeighbours([good, poor])[0]?.highlights).toEqual(['Second.', 'First.']);
  });

  it('leaves apart what does not follow, in its order', () => {
    expect(joinNeighbours([a4, b1, a0, a2])).toEqual([a4, b1, a0, a2]);
    expect(joinNeighbours([])).toEqual([]);
    const elsewhere = passage('a', 1, 'Of an older text.', 500);
    expect(joinNeighbours([a0, elsewhere])).toEqual([a0, elsewhere]);
  });
});

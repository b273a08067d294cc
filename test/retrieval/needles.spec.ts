import { needles } from '../../bench/needles.ts';

describe('one fact in much text that looks like it', () => {
  it('is found first by its code, and among the six passages of a chat by a question', async () => {
    const [codes, facts] = await needles();
    expect(codes).toMatchObject({ questions: 40, first: 40 });
    expect(facts).toMatchObject({ questions: 12, amongSix: 12 });
    expect(facts?.first).toBeGreaterThanOrEqual(9);
  }, 120_000);
});

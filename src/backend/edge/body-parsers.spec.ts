import fc from 'fast-check';
import { isDeeperThan } from './body-parsers.js';

/** As deep as a value is nested, by going through it. */
function deep(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(deep));
}

describe('isDeeperThan', () => {
  it('measures the nesting of the parsed value, whatever its strings contain', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.nat(5), (value, levels) => {
        expect(isDeeperThan(levels, Buffer.from(JSON.stringify(value)))).toBe(deep(value) > levels);
      }),
    );
    const tricky = Buffer.from(String.raw`["[\\", "\"[[", {"}[": "]"}]`);
    expect([1, 2].map((levels) => isDeeperThan(levels, tricky))).toEqual([true, false]);
  });

  it.each(['[', '{', '"', '\\', ']', '["\\"', '[],'])('decides quickly for 2 MB of nothing but %j', (text) => {
    const body = Buffer.from(text.repeat(2_000_000 / text.length));
    const began = process.threadCpuUsage();
    isDeeperThan(100, body);
    expect(process.threadCpuUsage(began).user / 1000).toBeLessThan(250);
  });
});

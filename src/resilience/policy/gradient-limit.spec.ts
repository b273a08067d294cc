import { GradientLimit } from './gradient-limit.js';

/** A service with so many workers, each call taking `workMs` of one; callers keep as many calls running as they may. */
function load(limit: GradientLimit, workers: number, workMs: number, calls: number): void {
  for (let i = 0; i < calls; i++) {
    const active = limit.current;
    limit.ended(workMs * Math.max(1, active / workers), active);
  }
}

describe('GradientLimit', () => {
  it('falls to what the service can do when it becomes slower, and rises when it recovers', () => {
    const limit = new GradientLimit(200);
    load(limit, 200, 10, 2000);
    expect(limit.current).toBe(200);
    load(limit, 20, 10, 300);
    expect(limit.current).toBeLessThan(80);
    load(limit, 200, 10, 2000);
    expect(limit.current).toBeGreaterThan(180);
  });

  it('stays where it is without load, and within its bounds', () => {
    const limit = new GradientLimit(100);
    for (let i = 0; i < 1000; i++) limit.ended(i % 2 === 0 ? 1 : 1000, 1);
    expect(limit.current).toBe(100);
    for (let i = 0; i < 300; i++) limit.ended(10 * 1.1 ** i, 100);
    expect(limit.current).toBeLessThanOrEqual(8);
    limit.reconfigure(2);
    expect(limit.current).toBe(2);
  });
});

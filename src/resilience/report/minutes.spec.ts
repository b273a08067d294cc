import { Minutes } from './minutes.js';

const NOON = Date.UTC(2026, 0, 1, 12);
const MINUTE = 60_000;

describe('Minutes', () => {
  it('counts the attempts and failures of a minute, with the slowest', () => {
    const minutes = new Minutes();
    minutes.record(NOON, 'success', 12);
    minutes.record(NOON + 59_999, 'failure', 40);
    minutes.record(NOON + MINUTE, 'neutral', 3);
    expect(minutes.until(NOON + MINUTE)).toEqual([
      { at: NOON, attempts: 2, failures: 1, slowestMs: 40 },
      { at: NOON + MINUTE, attempts: 1, failures: 0, slowestMs: 3 },
    ]);
  });

  it('keeps one hour: the minute an hour ago is gone, also where nothing came since', () => {
    const minutes = new Minutes();
    minutes.record(NOON, 'success', 1);
    expect(minutes.until(NOON + 59 * MINUTE)).toHaveLength(1);
    expect(minutes.until(NOON + 60 * MINUTE)).toEqual([]);
    minutes.record(NOON + 60 * MINUTE, 'success', 7);
    expect(minutes.until(NOON + 60 * MINUTE)).toEqual([
      { at: NOON + 60 * MINUTE, attempts: 1, failures: 0, slowestMs: 7 },
    ]);
  });
});

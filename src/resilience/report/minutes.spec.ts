import type { Attempt } from '../policy/attempt.js';
import { DownstreamError } from '../policy/downstream-error.js';
import { Minutes } from './minutes.js';

const NOON = Date.UTC(2026, 0, 1, 12);
const MINUTE = 60_000;
const REFUSED = new DownstreamError({ service: 'chroma', reason: 'unreachable', message: 'refused' });
const OUT_OF_TIME = new DownstreamError({ service: 'chroma', reason: 'deadline', message: 'no time left' });

describe('Minutes', () => {
  let nowMs: number;
  let minutes: Minutes;
  const ended = (atMs: number, durationMs: number, error?: DownstreamError) => {
    nowMs = atMs;
    minutes.ended({} as Attempt, error?.reason ?? 'success', durationMs, error);
  };

  beforeEach(() => {
    minutes = new Minutes({ wallMs: () => nowMs });
  });

  it('counts the attempts of a minute, those that the breaker counts as failures, and the slowest', () => {
    ended(NOON, 12);
    ended(NOON + 59_999, 40, REFUSED);
    ended(NOON + MINUTE, 3, OUT_OF_TIME);
    expect(minutes.lastHour()).toEqual([
      { at: NOON, attempts: 2, failures: 1, slowestMs: 40 },
      { at: NOON + MINUTE, attempts: 1, failures: 0, slowestMs: 3 },
    ]);
  });

  it('keeps one hour: the minute an hour ago is gone, also where nothing came since', () => {
    ended(NOON, 1);
    nowMs = NOON + 59 * MINUTE;
    expect(minutes.lastHour()).toHaveLength(1);
    nowMs = NOON + 60 * MINUTE;
    expect(minutes.lastHour()).toEqual([]);
    ended(NOON + 60 * MINUTE, 7);
    expect(minutes.lastHour()).toEqual([{ at: NOON + 60 * MINUTE, attempts: 1, failures: 0, slowestMs: 7 }]);
  });
});

import { describe, expect, it } from 'vitest';
import { hourOf } from './hour.ts';

const NOW = new Date('2026-01-01T12:00:30Z');

describe('hourOf', () => {
  it('has a bar for each of sixty minutes, with what went on in it', () => {
    const minutes = [{ at: '2026-01-01T11:59:00.000000', attempts: 4, failures: 1, slowest_ms: 20 }];
    const bars = hourOf({ minutes, changes: [] }, NOW);
    expect(bars).toHaveLength(60);
    expect(bars[58]).toMatchObject({ attempts: 4, failures: 1, slowestMs: 20, state: 'closed' });
    expect(bars[59]).toMatchObject({ attempts: 0, state: 'closed' });
  });

  it('shows the worst state of a minute, and the state that lasts', () => {
    const changes = [
      { at: '2026-01-01T11:55:40.000000', from: 'half_open', to: 'closed', why: '' },
      { at: '2026-01-01T11:55:39.000000', from: 'open', to: 'half_open', why: '' },
      { at: '2026-01-01T11:50:10.000000', from: 'closed', to: 'open', why: '' },
    ] as const;
    const states = hourOf({ minutes: [], changes: [...changes] }, NOW).map(({ state }) => state);
    expect(states.slice(48)).toEqual([
      'closed',
      'open',
      'open',
      'open',
      'open',
      'open',
      'open',
      'closed',
      'closed',
      'closed',
      'closed',
      'closed',
    ]);
  });
});

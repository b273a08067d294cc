import { describe, expect, it } from 'vitest';
import type { LedgerRow } from '../api/shapes.ts';
import { beginOf, coversAllDays, DAYS, spentByDay } from './spending.ts';

const row = (created_at: string, credits: number) => ({ created_at, credits }) as LedgerRow;

describe('spentByDay', () => {
  it('adds up what was taken on each of the last days, and nothing else', () => {
    const now = new Date(2026, 0, 31, 15);
    const rows = [
      row(new Date(2026, 0, 31, 9).toISOString(), -2),
      row(new Date(2026, 0, 31, 0, 0, 1).toISOString(), -1),
      row(new Date(2026, 0, 30, 23, 59).toISOString(), -5),
      row(new Date(2026, 0, 30).toISOString(), 1000),
      row(new Date(2025, 5, 1).toISOString(), -9),
    ];
    const days = spentByDay(rows, now);
    expect(days).toHaveLength(DAYS);
    expect(days.slice(-2).map(({ credits }) => credits)).toEqual([5, 3]);
    expect(days.reduce((sum, { credits }) => sum + credits, 0)).toBe(8);
  });

  it('needs rows from before the first of the days', () => {
    const now = new Date(2026, 0, 31, 15);
    const first = row(new Date(2026, 0, 2, 0, 0).toISOString(), -1);
    const before = row(new Date(2026, 0, 1, 23, 59).toISOString(), -1);
    expect(coversAllDays([first], now)).toBe(false);
    expect(coversAllDays([first, before], now)).toBe(true);
    expect(coversAllDays([], now)).toBe(false);
  });

  it('begins later than the first of the days where only the newest rows were read', () => {
    const now = new Date(2026, 0, 31, 15);
    const recent = row(new Date(2026, 0, 20).toISOString(), -1);
    const old = row(new Date(2025, 11, 20).toISOString(), -1);
    expect(beginOf([recent], 2, now)).toBe(recent.created_at);
    expect(beginOf([recent], 1, now)).toBeUndefined();
    expect(beginOf([recent, old], 3, now)).toBeUndefined();
  });
});

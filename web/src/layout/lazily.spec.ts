import { afterEach, describe, expect, it, vi } from 'vitest';
import { persistently } from './lazily.ts';

describe('persistently', () => {
  afterEach(() => {
    vi.unstubAllGlobals();
    vi.useRealTimers();
  });

  const failing = (times: number) => {
    let calls = 0;
    return () => ((calls += 1) <= times ? Promise.reject(new TypeError('Failed to fetch')) : Promise.resolve(calls));
  };

  it('tries again when the backend can be reached again, however long that takes', async () => {
    vi.useFakeTimers();
    let isAway = true;
    vi.stubGlobal('fetch', () => (isAway ? Promise.reject(new TypeError('away')) : Promise.resolve({})));
    const load = vi.fn(failing(1));
    const loaded = persistently(load);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(load).toHaveBeenCalledTimes(1);
    isAway = false;
    await vi.advanceTimersByTimeAsync(5000);
    expect(await loaded).toBe(2);
  });

  it('gives up where the backend can be reached and does not have the code', async () => {
    vi.useFakeTimers();
    vi.stubGlobal('fetch', () => Promise.resolve({}));
    const loaded = expect(persistently(failing(100))).rejects.toThrow('Failed to fetch');
    await vi.advanceTimersByTimeAsync(10_000);
    await loaded;
  });
});

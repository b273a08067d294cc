import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ApiProblem } from './client.ts';
import { forEachOf, patiently } from './many.ts';

const problem = (status: number, retry_after?: number) =>
  new ApiProblem({
    type: '',
    title: '',
    status,
    code: 'sample',
    detail: 'Sample.',
    request_id: '',
    ...(retry_after !== undefined && { retry_after }),
  });
const never = new AbortController().signal;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('forEachOf', () => {
  it('sends each item once, at most four at a time, and returns those that failed', async () => {
    let running = 0;
    let most = 0;
    const sent: number[] = [];
    const done: number[] = [];
    const items = Array.from({ length: 30 }, (_, index) => index);
    const request = async (item: number) => {
      most = Math.max(most, ++running);
      sent.push(item);
      await new Promise((resolve) => setTimeout(resolve, 10));
      running -= 1;
      if (item % 10 === 3) throw problem(409);
    };
    const work = forEachOf(items, request, { onDone: (item) => done.push(item), signal: never });
    await vi.runAllTimersAsync();
    expect((await work).map(({ item }) => item)).toEqual([3, 13, 23]);
    expect(sent).toEqual(items);
    expect(done).toHaveLength(30);
    expect(most).toBe(4);
  });

  it('begins nothing more when it is stopped', async () => {
    const stopping = new AbortController();
    const sent: number[] = [];
    const request = (item: number) => {
      sent.push(item);
      if (item === 5) stopping.abort();
      return Promise.resolve();
    };
    const work = forEachOf([...Array(100).keys()], request, { onDone: () => undefined, signal: stopping.signal });
    await vi.runAllTimersAsync();
    expect(await work).toEqual([]);
    expect(sent.length).toBeLessThan(12);
  });

  it('leaves the page half of the requests that a person may send in a minute', async () => {
    vi.advanceTimersByTime(3_600_000);
    const beganMs = performance.now();
    const times: number[] = [];
    const request = () => Promise.resolve(void times.push(performance.now() - beganMs));
    const work = forEachOf([...Array(700).keys()], request, { onDone: () => undefined, signal: never });
    await vi.runAllTimersAsync();
    await work;
    expect(times.filter((ms) => ms < 1000).length).toBeGreaterThanOrEqual(200);
    for (let fromMs = 0; fromMs < 120_000; fromMs += 10_000) {
      expect(times.filter((ms) => ms >= fromMs && ms < fromMs + 60_000).length).toBeLessThanOrEqual(510);
    }
    expect(times.filter((ms) => ms >= 60_000 && ms < 120_000).length).toBeLessThanOrEqual(301);
  });
});

describe('patiently', () => {
  const failing = (...errors: Error[]) =>
    vi.fn(() => {
      const error = errors.shift();
      return error === undefined ? Promise.resolve('done') : Promise.reject(error);
    });

  it('waits for the rate limit as often as needed, as long as it is told', async () => {
    const request = failing(...Array.from({ length: 9 }, () => problem(429, 7)));
    const answer = patiently(request);
    await vi.advanceTimersByTimeAsync(62_000);
    expect(request).toHaveBeenCalledTimes(9);
    await vi.advanceTimersByTimeAsync(1000);
    expect(await answer).toBe('done');
  });

  it('gives up after some tries, at once on a refusal, and where the wait is too long', async () => {
    const away = failing(...Array.from({ length: 9 }, () => problem(503, 1)));
    const ended = expect(patiently(away)).rejects.toThrow('Sample.');
    await vi.runAllTimersAsync();
    await ended;
    expect(away).toHaveBeenCalledTimes(5);
    const refused = failing(problem(409));
    await expect(patiently(refused)).rejects.toThrow('Sample.');
    expect(refused).toHaveBeenCalledTimes(1);
    const long = failing(problem(503, 60));
    await expect(patiently(long, { longestWaitMs: 5000 })).rejects.toThrow('Sample.');
    expect(long).toHaveBeenCalledTimes(1);
  });
});

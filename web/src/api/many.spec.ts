import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ApiProblem } from './client.ts';
import { inBatches, patiently } from './many.ts';

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

describe('inBatches', () => {
  const items = Array.from({ length: 30 }, (_, index) => index);

  it('sends each item once, a batch after the other, and returns those that failed', async () => {
    let running = 0;
    const sent: (readonly number[])[] = [];
    const done: number[] = [];
    const request = async (batch: readonly number[]) => {
      expect(++running).toBe(1);
      sent.push(batch);
      await new Promise((resolve) => setTimeout(resolve, 10));
      running -= 1;
      return batch.map((item) => (item % 10 === 3 ? problem(409) : undefined));
    };
    const onDone = (batch: readonly number[]) => done.push(...batch);
    const work = inBatches(items, 12, request, { onDone, signal: never });
    await vi.runAllTimersAsync();
    expect((await work).map(({ item }) => item)).toEqual([3, 13, 23]);
    expect(sent.map((batch) => batch.length)).toEqual([12, 12, 6]);
    expect(sent.flat()).toEqual(items);
    expect(done).toEqual(items);
  });

  it('begins nothing more when it is stopped', async () => {
    const stopping = new AbortController();
    const sent: number[] = [];
    const request = (batch: readonly number[]) => {
      sent.push(...batch);
      if (batch.includes(15)) stopping.abort();
      return Promise.resolve(batch.map(() => undefined));
    };
    expect(await inBatches(items, 10, request, { onDone: () => undefined, signal: stopping.signal })).toEqual([]);
    expect(sent).toHaveLength(20);
  });

  it('counts the rest as failed, and sends nothing more, after a request that failed as a whole', async () => {
    const request = vi.fn((batch: readonly number[]) =>
      batch.includes(10) ? Promise.reject(problem(503)) : Promise.resolve(batch.map(() => undefined)),
    );
    const failures = await inBatches(items, 10, request, { onDone: () => undefined, signal: never });
    expect(request).toHaveBeenCalledTimes(2);
    expect(failures.map(({ item }) => item)).toEqual(items.slice(10));
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

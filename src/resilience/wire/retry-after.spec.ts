import { waitIn, waitOf } from './retry-after.js';

describe('waitOf', () => {
  it.each([
    [{ 'retry-after': '30' }, 30_000],
    [{ 'retry-after': '1.5', 'retry-after-ms': '250' }, 250],
    [{ 'x-ratelimit-reset-tokens': '1m30.5s', 'x-ratelimit-reset-requests': '20ms' }, 90_500],
    [{}, undefined],
  ])('reads the wait in %j', (headers, waitMs) => {
    expect(waitOf(headers)).toBe(waitMs);
  });
});

describe('waitIn', () => {
  it.each([
    ['Rate limit reached for gpt-4o. Please try again in 1.2s. Visit https://…', 1200],
    ['Rate limit reached. Please try again in 7m12.5s.', 432_500],
    ['No deployments available for selected model, Try again in 5 seconds. Passed model=x', 5000],
    ['Requests have exceeded the call rate limit. Please retry after 10 seconds.', 10_000],
    ['Please retry after 2 minutes and call again.', 120_000],
    ['Try again in 250 milliseconds', 250],
    ['Please try again in 6ms.', 6],
    ['{"error":{"details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay": "34.07s"}]}}', 34_070],
    ['Please try again later.', undefined],
    ['Please retry after fixing 3 fields.', undefined],
    ['', undefined],
  ])('reads the wait in %j', (body, waitMs) => {
    expect(waitIn(body)).toBe(waitMs);
  });
});

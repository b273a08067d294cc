import { load } from './testing/loading.js';

describe('REDIS_URL', () => {
  const passwordOf = (env: Record<string, string>) => load(env).secrets.redis_password;

  it('keeps its password among the secrets, not in the settings', () => {
    const { redis, secrets } = load({ REDIS_URL: 'redis://app:p%40ss@cache:6379/1' });
    expect([redis.url, secrets.redis_password]).toEqual(['redis://app@cache:6379/1', 'p@ss']);
    expect(passwordOf({ REDIS_URL: 'redis://:100%@cache:6379' })).toBe('100%');
  });

  it('counts before CACHE_URL, its name in earlier releases, and REDIS_PASSWORD before both', () => {
    const env = { CACHE_URL: 'redis://:old@old:6379' };
    expect(load(env).redis.url).toBe('redis://old:6379');
    expect(passwordOf(env)).toBe('old');
    expect(load({ ...env, REDIS_URL: 'redis://:new@new:6379' }).redis.url).toBe('redis://new:6379');
    expect(passwordOf({ ...env, REDIS_URL: 'redis://:new@new:6379' })).toBe('new');
    expect(passwordOf({ ...env, REDIS_PASSWORD: 'given' })).toBe('given');
  });
});

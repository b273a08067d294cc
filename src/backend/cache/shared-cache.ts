import type { Cache, CacheSlot } from './cache.js';
import type { RedisCache } from './redis-cache.js';

/** Redis, which all backends share, and the memory of this process while Redis is unavailable. */
export class SharedCache implements Cache {
  constructor(
    private readonly memory: Cache,
    private readonly redis: RedisCache,
  ) {}

  async open(scope: string, key: string): Promise<CacheSlot> {
    const [own, shared] = await Promise.all([this.memory.open(scope, key), this.redis.find(scope, key)]);
    if (shared === null) return own;
    return {
      value: shared.value,
      keep: (value, bytes) => {
        own.keep(value, bytes);
        shared.keep(value, bytes);
      },
    };
  }

  empty(scope: string): void {
    this.memory.empty(scope);
    this.redis.empty(scope);
  }
}

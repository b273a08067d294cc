import { LRUCache } from 'lru-cache';
import type { Cache, CacheSlot } from './cache.js';

interface Kept {
  generation: object;
  value: unknown;
  bytes: number;
}

const MAX_SCOPES = 100_000;

/** A cache in the memory of this process. */
export class MemoryCache implements Cache {
  private readonly values: LRUCache<string, Kept>;
  /** The current generation of each scope. Values of an earlier generation are not found. */
  private readonly generations = new LRUCache<string, object>({ max: MAX_SCOPES });

  constructor({ maxBytes, ttlMs }: { maxBytes: number; ttlMs: number }) {
    this.values = new LRUCache({ maxSize: maxBytes, sizeCalculation: ({ bytes }) => Math.max(1, bytes), ttl: ttlMs });
  }

  async open(scope: string, key: string): Promise<CacheSlot> {
    const name = JSON.stringify([scope, key]);
    const generation = this.generation(scope);
    const kept = this.values.get(name);
    return {
      value: kept?.generation === generation ? kept.value : undefined,
      keep: (value, bytes) => {
        if (this.generations.get(scope) === generation) this.values.set(name, { generation, value, bytes });
      },
    };
  }

  empty(scope: string): void {
    this.generations.delete(scope);
  }

  private generation(scope: string): object {
    let generation = this.generations.get(scope);
    if (generation === undefined) this.generations.set(scope, (generation = {}));
    return generation;
  }
}

import { createHash, randomUUID } from 'node:crypto';
import { PREFIX, px, type RedisClient, type RedisLink } from '../redis/redis-link.js';
import type { CacheSlot } from './cache.js';

const EPOCH = `${PREFIX}epoch`;

/**
 * A cache in Redis or Valkey that several backends share. A value is stored with two random stamps, and is valid while both
 * are in Redis: the stamp of its scope, which every change deletes, and the epoch of the whole cache.
 *
 * A process that could not reach Redis may have missed deleting a stamp. So each process deletes the epoch when it
 * connects, at its start and after every failure, and neither reads nor stores a value before that.
 */
export class RedisCache {
  constructor(
    private readonly redis: RedisLink,
    private readonly ttlMs: number,
  ) {
    redis.beforeUse((client) => client.del(EPOCH));
  }

  /** null: Redis is unavailable. */
  async find(scope: string, key: string): Promise<CacheSlot | null> {
    const scopeKey = `${PREFIX}scope:${digest(scope)}`;
    const valueKey = `${PREFIX}value:${digest(JSON.stringify([scope, key]))}`;
    const found = await this.redis.run(async (client) => {
      const [epoch, generation, text] = await client.mGet([EPOCH, scopeKey, valueKey]);
      return {
        text,
        stamp: `${await this.stampOf(client, EPOCH, epoch)} ${await this.stampOf(client, scopeKey, generation)}\n`,
      };
    });
    if (found === undefined) return null;
    const { text, stamp } = found;
    return {
      value: text?.startsWith(stamp) ? (JSON.parse(text.slice(stamp.length)) as unknown) : undefined,
      keep: (value) => {
        void this.redis.run((client) => client.set(valueKey, stamp + JSON.stringify(value), px(this.ttlMs)));
      },
    };
  }

  empty(scope: string): void {
    void this.redis.run((client) => client.del(`${PREFIX}scope:${digest(scope)}`));
  }

  private async stampOf(client: RedisClient, key: string, known: string | null | undefined): Promise<string> {
    if (typeof known === 'string') return known;
    const fresh = randomUUID();
    const before = await client.set(key, fresh, { ...px(this.ttlMs), condition: 'NX', GET: true });
    return before === null ? fresh : String(before);
  }
}

/** A digest, because the text of a question must not appear in the name of a key. */
function digest(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}

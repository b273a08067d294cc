import { createHash, randomUUID } from 'node:crypto';
import { createClient } from '@redis/client';
import type { PinoLogger } from 'nestjs-pino';
import { guarded } from '../../resilience/policy/guarded.js';
import type { Cache, CacheSlot } from './cache.js';

/** How often an unavailable Redis is tried again. */
const LOOK_AGAIN_MS = 1000;
const CONNECT_MS = 2000;
const PREFIX = 'caudex:1:';
const EPOCH = `${PREFIX}epoch`;

/**
 * A cache in Redis or Valkey that several backends share. A value is stored with two random stamps, and is valid while both
 * are in Redis: the stamp of its scope, which every change deletes, and the epoch of the whole cache.
 *
 * A process that could not reach Redis may have missed deleting a stamp. So each process deletes the epoch when it
 * connects, at its start and after every failure, and neither reads nor stores a value before that.
 */
export class RedisCache implements Cache {
  private readonly client;
  private usable = false;
  private timer: NodeJS.Timeout | undefined;
  private readonly began: Promise<unknown>;

  constructor(
    { url, password }: { url: string; password: string | undefined },
    /**
     * `patienceMs`: a Redis that takes longer for one command counts as unavailable, because a cache must not slow down
     * an answer.
     */
    private readonly times: { ttlMs: number; patienceMs: number },
    private readonly log: Pick<PinoLogger, 'info' | 'warn'>,
  ) {
    this.client = createClient({
      url,
      ...(password === undefined ? {} : { password }),
      disableOfflineQueue: true,
      socket: { connectTimeout: CONNECT_MS, reconnectStrategy: LOOK_AGAIN_MS },
    });
    this.client.on('error', (error: unknown) => this.away(error));
    this.client.on('ready', () => void this.begin());
    this.began = this.client.connect().catch((error: unknown) => this.away(error));
  }

  /** null: Redis is unavailable. */
  async find(scope: string, key: string): Promise<CacheSlot | null> {
    if (!this.usable) return null;
    const scopeKey = `${PREFIX}scope:${digest(scope)}`;
    const valueKey = `${PREFIX}value:${digest(JSON.stringify([scope, key]))}`;
    try {
      const [epoch, generation, text] = await this.inTime(this.client.mGet([EPOCH, scopeKey, valueKey]));
      const stamp = `${await this.stampOf(EPOCH, epoch)} ${await this.stampOf(scopeKey, generation)}\n`;
      return {
        value: text?.startsWith(stamp) ? (JSON.parse(text.slice(stamp.length)) as unknown) : undefined,
        keep: (value) => {
          const setting = this.client.set(valueKey, stamp + JSON.stringify(value), px(this.times.ttlMs));
          setting.catch((error: unknown) => this.away(error));
        },
      };
    } catch (error) {
      this.away(error);
      return null;
    }
  }

  async open(scope: string, key: string): Promise<CacheSlot> {
    return (await this.find(scope, key)) ?? NOTHING;
  }

  empty(scope: string): void {
    if (!this.usable) return;
    this.inTime(this.client.del(`${PREFIX}scope:${digest(scope)}`)).catch((error: unknown) => this.away(error));
  }

  async close(): Promise<void> {
    clearTimeout(this.timer);
    this.usable = false;
    this.client.destroy();
    await this.began;
  }

  private async stampOf(key: string, known: string | null | undefined): Promise<string> {
    if (typeof known === 'string') return known;
    const fresh = randomUUID();
    const before = await this.inTime(
      this.client.set(key, fresh, { ...px(this.times.ttlMs), condition: 'NX', GET: true }),
    );
    return before === null ? fresh : String(before);
  }

  private async begin(): Promise<void> {
    clearTimeout(this.timer);
    try {
      await this.inTime(this.client.del(EPOCH));
      this.usable = true;
      this.log.info({}, 'The shared cache is there');
    } catch (error) {
      this.away(error);
    }
  }

  private away(error: unknown): void {
    if (this.usable) this.log.warn({ err: error }, 'The shared cache is away; each process has its own meanwhile');
    this.usable = false;
    clearTimeout(this.timer);
    if (this.client.isReady) this.timer = setTimeout(() => void this.begin(), LOOK_AGAIN_MS).unref();
  }

  // No breaker is needed: after one failure Redis is not called until it has answered again, see `away`.
  private inTime<T>(reply: Promise<T>): Promise<T> {
    return guarded(() => reply, { name: 'Redis', timeoutMs: this.times.patienceMs });
  }
}

const NOTHING: CacheSlot = { value: undefined, keep: () => undefined };

function px(ms: number) {
  return { expiration: { type: 'PX' as const, value: ms } };
}

/** A digest, because the text of a question must not appear in the name of a key. */
function digest(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}

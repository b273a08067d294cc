import { createClient } from '@redis/client';
import type { PinoLogger } from 'nestjs-pino';
import { guarded } from '../../resilience/policy/guarded.js';

/** How often an unavailable Redis is tried again. */
const LOOK_AGAIN_MS = 1000;
const CONNECT_MS = 2000;
/** The prefix of all keys and channels. */
export const PREFIX = 'caudex:1:';

export type RedisClient = ReturnType<typeof createClient>;

/** The option of SET for a key that expires. */
export const px = (ms: number) => ({ expiration: { type: 'PX' as const, value: ms } });

export interface RedisAddress {
  url: string;
  password: string | undefined;
}

/**
 * The connection to Redis or Valkey, which backends share. Nothing depends on it: a call returns undefined while Redis is
 * unavailable, and each backend then works with its own memory.
 */
export class RedisLink {
  private readonly client: RedisClient;
  private readonly subscriber: RedisClient;
  private readonly preparations: ((client: RedisClient) => Promise<unknown>)[] = [
    // A replica, or a Redis without memory or disk, answers reads and refuses writes.
    (client) => client.set(`${PREFIX}writable`, '1', px(LOOK_AGAIN_MS)),
  ];
  private readonly began: Promise<unknown>;
  private usable = false;
  /** What the log said last. */
  private said: 'there' | 'away' | undefined;
  private ended = false;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    { url, password }: RedisAddress,
    /** A Redis that takes longer for one command counts as unavailable, because no request may wait for it. */
    private readonly patienceMs: number,
    private readonly log: Pick<PinoLogger, 'info' | 'warn'>,
  ) {
    const options = {
      url,
      ...(password === undefined ? {} : { password }),
      disableOfflineQueue: true,
      socket: { connectTimeout: CONNECT_MS, reconnectStrategy: LOOK_AGAIN_MS },
    };
    this.client = createClient(options);
    this.subscriber = createClient({ ...options, disableOfflineQueue: false });
    this.client.on('error', (error: unknown) => this.away(error));
    this.client.on('ready', () => void this.prepare());
    // The client reports the same outage.
    this.subscriber.on('error', () => undefined);
    const connecting = [this.client.connect(), this.subscriber.connect()];
    this.began = Promise.all(connecting.map((each) => each.catch((error: unknown) => this.away(error))));
  }

  get isUsable(): boolean {
    return this.usable;
  }

  /** For libraries that need the client itself; they must use it only while {@link isUsable}. */
  get raw(): RedisClient {
    return this.client;
  }

  /** `prepare` runs after each connection, before any other command. */
  beforeUse(prepare: (client: RedisClient) => Promise<unknown>): void {
    this.preparations.push(prepare);
    if (this.usable) void this.prepare();
  }

  /** Undefined while Redis is unavailable, and where this command finds it so. */
  async run<T>(work: (client: RedisClient) => Promise<T>): Promise<T | undefined> {
    if (!this.usable) return undefined;
    try {
      return await this.inTime(work(this.client));
    } catch (error) {
      this.away(error);
      return undefined;
    }
  }

  /** Tells all other backends; a backend that is not connected misses it. */
  tell(channel: string, message: unknown): void {
    void this.run((client) => client.publish(PREFIX + channel, JSON.stringify(message)));
  }

  /** Messages of all backends, this one included. */
  listen(channel: string, listener: (message: unknown) => void): void {
    this.subscriber
      .subscribe(PREFIX + channel, (text) => listener(JSON.parse(text)))
      .catch((error: unknown) => {
        if (!this.ended) this.log.warn({ err: error }, `The messages of other backends (${channel}) are not received`);
      });
  }

  async close(): Promise<void> {
    this.ended = true;
    clearTimeout(this.timer);
    this.usable = false;
    this.client.destroy();
    this.subscriber.destroy();
    await this.began;
  }

  private async prepare(): Promise<void> {
    clearTimeout(this.timer);
    try {
      for (const prepare of this.preparations) await this.inTime(prepare(this.client));
      if (this.said !== 'there') this.log.info({}, 'Redis is there');
      this.said = 'there';
      this.usable = true;
    } catch (error) {
      this.away(error);
    }
  }

  private away(error: unknown): void {
    if (this.said !== 'away' && !this.ended) {
      const why = error instanceof Error ? error.message : String(error);
      this.log.warn({}, `Redis (REDIS_URL) cannot be used: ${why}; each backend goes on with its own memory meanwhile`);
    }
    this.said = 'away';
    this.usable = false;
    clearTimeout(this.timer);
    if (this.client.isReady && !this.ended) this.timer = setTimeout(() => void this.prepare(), LOOK_AGAIN_MS).unref();
  }

  // No breaker is needed: after one failure Redis is not called until it has answered again, see `away`.
  private inTime<T>(reply: Promise<T>): Promise<T> {
    return guarded(() => reply, { name: 'Redis', timeoutMs: this.patienceMs });
  }
}

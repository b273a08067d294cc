import { Injectable } from '@nestjs/common';
import { InjectConfig } from '../../config/config.module.js';
import type { Config } from '../../config/config.schema.js';
import type { About } from '../call/deletions.js';
import { PREFIX, px, type RedisClient, type RedisLink } from '../redis/redis-link.js';
import { InjectRedis } from '../redis/redis.module.js';
import type { ChatEvent } from './chat-events.js';
import { MessageStream } from './message-stream.js';

/** How often a backend reads the new events of a stream that another one writes. */
const POLL_MS = 50;
/** The interval at which writer and readers renew their keys, which expire after three intervals. */
const ALIVE_MS = 2000;
/** How long the events of an answer whose writer was killed are kept. */
const ABANDONED_MS = 600_000;

const eventsKey = (messageId: string) => `${PREFIX}stream:${messageId}`;
const writerKey = (messageId: string) => `${PREFIX}stream-writer:${messageId}`;
const readerKey = (messageId: string) => `${PREFIX}stream-reader:${messageId}`;
const writingKey = (userId: string, conversationId: string) => `${PREFIX}writing:${userId}:${conversationId}`;

const BROKEN: ChatEvent = {
  type: 'error',
  errorText: 'The server that wrote this answer has stopped. The text so far will be in the conversation.',
};

interface Head {
  userId: string;
  about: About;
}

/**
 * The answers of all backends, in Redis: a client may resume a stream at another backend than the one that writes it. The
 * events of an answer are a Redis stream; its first entry holds the owner, its last one marks the end.
 */
@Injectable()
export class SharedStreams {
  private readonly followed = new Map<string, MessageStream>();

  constructor(
    @InjectRedis() private readonly redis: RedisLink | null,
    @InjectConfig() private readonly config: Config,
  ) {}

  /** Writes the events of an answer of this backend to Redis. After a failure the rest is kept in this process alone. */
  publish(stream: MessageStream): void {
    const { redis } = this;
    if (redis === null || !redis.isUsable) return;
    const { messageId, userId, about } = stream;
    const key = eventsKey(messageId);
    let writing = true;
    const write = async (fields: Record<string, string>) => {
      if (!writing) return;
      const written = await redis.run((client) => client.xAdd(key, '*', fields));
      if (written !== undefined || !writing) return;
      writing = false;
      clearInterval(beat);
    };
    const live = () =>
      void redis.run((client) =>
        Promise.all([
          client.set(writerKey(messageId), '1', px(3 * ALIVE_MS)),
          client.pExpire(key, ABANDONED_MS),
          ...(about.conversationId === undefined
            ? []
            : [client.set(writingKey(userId, about.conversationId), messageId, px(3 * ALIVE_MS))]),
        ]),
      );
    const beat = setInterval(live, ALIVE_MS).unref();
    const head: Head = { userId, about };
    void write({ head: JSON.stringify(head) });
    live();
    stream.observe((event) => {
      if (event !== undefined) return void write({ event: JSON.stringify(event) });
      clearInterval(beat);
      void write({ end: '1' });
      void redis.run((client) =>
        Promise.all([
          client.pExpire(key, this.config.chat.resume_ms),
          ...(about.conversationId === undefined ? [] : [client.del(writingKey(userId, about.conversationId))]),
        ]),
      );
    });
  }

  /** Whether another backend reads an answer of this one. */
  async isRead(messageId: string): Promise<boolean> {
    return (await this.redis?.run((client) => client.exists(readerKey(messageId)))) === 1;
  }

  /** An answer that another backend writes or has written; undefined where there is none of this user. */
  async follow(messageId: string, userId: string): Promise<MessageStream | undefined> {
    const known = this.followed.get(messageId);
    if (known !== undefined) return known.userId === userId ? known : undefined;
    const entries = await this.redis?.run((client) => readFrom(client, messageId, '-'));
    const first = entries?.[0]?.message['head'];
    if (entries === undefined || first === undefined) return undefined;
    const head = JSON.parse(first) as Head;
    if (head.userId !== userId) return undefined;
    const stream = new MessageStream(messageId, userId, 0, head.about);
    this.followed.set(messageId, stream);
    void stream.ended.then(() => this.followed.delete(messageId));
    this.take(stream, entries);
    if (!stream.finished) void this.poll(stream, entries.at(-1)?.id ?? '-');
    return stream;
  }

  /** The message that another backend writes in a conversation. */
  async writing(conversationId: string, userId: string): Promise<MessageStream | undefined> {
    const messageId = await this.redis?.run((client) => client.get(writingKey(userId, conversationId)));
    return typeof messageId === 'string' ? this.follow(messageId, userId) : undefined;
  }

  /** Removes the events of a deleted answer. */
  forget(messageId: string): void {
    void this.redis?.run((client) => client.del([eventsKey(messageId), writerKey(messageId)]));
  }

  private async poll(stream: MessageStream, after: string): Promise<void> {
    const { messageId } = stream;
    const { redis } = this;
    let last = after;
    let quietSinceMs = performance.now();
    let beatMs = -Infinity;
    while (!stream.finished && !stream.stopSignal.aborted && redis !== null) {
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      const entries = await redis.run((client) => readFrom(client, messageId, `(${last}`));
      const nowMs = performance.now();
      if (entries !== undefined && entries.length > 0) {
        last = entries.at(-1)?.id ?? last;
        quietSinceMs = nowMs;
        this.take(stream, entries);
      } else if (nowMs - quietSinceMs > ALIVE_MS && !(await this.isWritten(messageId))) {
        stream.push(BROKEN);
        stream.end();
      }
      if (nowMs - beatMs < ALIVE_MS) continue;
      beatMs = nowMs;
      await redis.run((client) => client.set(readerKey(messageId), '1', px(3 * ALIVE_MS)));
    }
    if (!stream.finished) stream.end();
  }

  private async isWritten(messageId: string): Promise<boolean> {
    return (await this.redis?.run((client: RedisClient) => client.exists(writerKey(messageId)))) === 1;
  }

  private take(stream: MessageStream, entries: readonly { message: Record<string, string> }[]): void {
    for (const { message } of entries) {
      if (message['event'] !== undefined) stream.push(JSON.parse(message['event']) as ChatEvent);
      if (message['end'] !== undefined) stream.end();
    }
  }
}

async function readFrom(client: RedisClient, messageId: string, start: string) {
  return (await client.xRange(eventsKey(messageId), start, '+')) ?? [];
}

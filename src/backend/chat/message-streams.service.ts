import { Injectable } from '@nestjs/common';
import { InjectConfig } from '../../config/config.module.js';
import type { Config } from '../../config/config.schema.js';
import { Problem } from '../../http/problem.js';
import { type About, type Deletion, Deletions, isAbout } from '../call/deletions.js';
import { UserPlaces } from '../edge/limits/user-places.js';
import type { RedisLink } from '../redis/redis-link.js';
import { InjectRedis } from '../redis/redis.module.js';
import { MessageStream } from './message-stream.js';
import { SharedStreams } from './shared-streams.service.js';

/** The answers that are being written or can still be replayed, by message id. */
@Injectable()
export class MessageStreams {
  private readonly streams = new Map<string, MessageStream>();
  private readonly places: UserPlaces;

  constructor(
    @InjectConfig() private readonly config: Config,
    deletions: Deletions,
    private readonly shared: SharedStreams,
    @InjectRedis() private readonly redis: RedisLink | null,
  ) {
    deletions.onDelete((deletion) => this.forget(deletion));
    this.places = new UserPlaces('answers', config.chat.max_streams_per_user, redis);
    redis?.listen('stops', (messageId) => this.streams.get(String(messageId))?.stop());
  }

  /** @throws Problem 429 where too many of the user's answers are being written here */
  open(messageId: string, userId: string, about: About, detachedMs = this.config.chat.detached_ms): MessageStream {
    if (!this.places.take(userId, messageId)) throw this.tooMany();
    const stream = new MessageStream(messageId, userId, detachedMs, about, () => this.shared.isRead(messageId));
    this.streams.set(messageId, stream);
    this.shared.publish(stream);
    return stream;
  }

  /** @throws Problem 429 where too many of the user's answers are being written at all backends together */
  async requireRoom({ userId, messageId }: MessageStream): Promise<void> {
    if (!(await this.places.share(userId, messageId))) throw this.tooMany();
  }

  close(stream: MessageStream): void {
    stream.end();
    this.places.leave(stream.userId, stream.messageId);
    setTimeout(() => this.streams.delete(stream.messageId), this.config.chat.resume_ms).unref();
  }

  /** Removes a stream that never began. */
  discard(stream: MessageStream): void {
    this.close(stream);
    this.streams.delete(stream.messageId);
    this.shared.forget(stream.messageId);
  }

  /** Removes the streams whose answers depend on deleted content; all streams of a deleted conversation end. */
  private forget(deletion: Deletion): void {
    for (const stream of [...this.streams.values()]) {
      if (stream.userId !== deletion.userId || !isAbout(stream.about, deletion)) continue;
      if (deletion.kind !== 'document') stream.stop();
      if (!stream.finished && deletion.kind === 'document') continue;
      this.streams.delete(stream.messageId);
      this.shared.forget(stream.messageId);
    }
  }

  /** The answer that is being written in a conversation, at any backend. */
  async writing(conversationId: string, userId: string): Promise<MessageStream | undefined> {
    const own = [...this.streams.values()].find(
      (stream) => stream.userId === userId && !stream.finished && stream.about.conversationId === conversationId,
    );
    return own ?? this.shared.writing(conversationId, userId);
  }

  async find(messageId: string, userId: string): Promise<MessageStream | undefined> {
    const own = this.streams.get(messageId);
    if (own === undefined) return this.shared.follow(messageId, userId);
    return own.userId === userId ? own : undefined;
  }

  private tooMany(): Problem {
    return new Problem({
      status: 429,
      code: 'too_many_streams',
      detail: `${this.config.chat.max_streams_per_user} answers are being written for you, which are the most at a time.`,
      retryAfter: 1,
    });
  }

  /** Ends the answer, at whichever backend it is written. */
  stop(stream: MessageStream): void {
    const own = this.streams.get(stream.messageId);
    if (own !== undefined) own.stop();
    else this.redis?.tell('stops', stream.messageId);
  }
}

import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { InjectConfig } from '../../../config/config.module.js';
import type { Config } from '../../../config/config.schema.js';
import { Problem } from '../../../http/problem.js';
import type { RedisLink } from '../../redis/redis-link.js';
import { InjectRedis } from '../../redis/redis.module.js';
import { UserPlaces } from './user-places.js';

/**
 * How many event streams of any kind a user may read at a time: each keeps a connection open for as long as the client
 * wants.
 */
@Injectable()
export class OpenStreams {
  private readonly places: UserPlaces;
  private readonly most: number;

  constructor(@InjectConfig() { chat }: Config, @InjectRedis() redis: RedisLink | null) {
    this.most = chat.max_streams_per_user;
    this.places = new UserPlaces('open-streams', this.most, redis);
  }

  /** Counts a stream until its connection ends. @throws Problem 429 `too_many_streams` */
  async enter(userId: string, reply: FastifyReply): Promise<void> {
    const place = randomUUID();
    if (!this.places.take(userId, place)) throw this.tooMany();
    const leave = () => this.places.leave(userId, place);
    reply.raw.once('close', leave);
    // The client went away before.
    if (reply.raw.destroyed) leave();
    if (await this.places.share(userId, place)) return;
    leave();
    throw this.tooMany();
  }

  private tooMany(): Problem {
    return new Problem({
      status: 429,
      code: 'too_many_streams',
      detail: `${this.most} event streams are open for you, which are the most at a time; close one of them.`,
      retryAfter: 1,
    });
  }
}

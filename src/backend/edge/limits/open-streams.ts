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
    if (await this.places.enter(userId, reply)) return;
    throw new Problem({
      status: 429,
      code: 'too_many_streams',
      detail: `${this.most} event streams are open for you, which are the most at a time; close one of them.`,
      retryAfter: 1,
    });
  }
}

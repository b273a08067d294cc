import { Injectable } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { Problem } from '../../http/problem.js';
import { UserPlaces } from '../edge/limits/user-places.js';
import type { RedisLink } from '../redis/redis-link.js';
import { InjectRedis } from '../redis/redis.module.js';

const MOST = 2;

/**
 * How many exports and imports of an account run at a time: each reads or writes all of a user's data, on several servers.
 */
@Injectable()
export class AccountCopies {
  private readonly places: UserPlaces;

  constructor(@InjectRedis() redis: RedisLink | null) {
    this.places = new UserPlaces('account-copies', MOST, redis);
  }

  /** Counts one until its connection ends. @throws Problem 429 `too_many_exports` */
  async enter(userId: string, reply: FastifyReply): Promise<void> {
    if (await this.places.enter(userId, reply)) return;
    const detail = `${MOST} exports or imports of your account are running, which are the most at a time; wait for one of them to end.`;
    throw new Problem({ status: 429, code: 'too_many_exports', detail, retryAfter: 5 });
  }
}

import { Injectable } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { type RateLimiterAbstract, RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import { InjectConfig } from '../../../config/config.module.js';
import type { Config } from '../../../config/config.schema.js';
import { PREFIX, type RedisLink } from '../../redis/redis-link.js';
import { InjectRedis } from '../../redis/redis.module.js';
import { Problem } from '../../../http/problem.js';

const WINDOW_SECONDS = 60;

/** The same limit in the memory of this process and, where there is a Redis, for all backends together. */
interface Limit {
  points: number;
  own: RateLimiterAbstract;
  shared: RateLimiterAbstract | undefined;
}

/**
 * Limits requests per minute by user and by address, reported in `RateLimit` headers (IETF
 * draft-ietf-httpapi-ratelimit-headers). With Redis the limits hold for all backends together; while it is away, each
 * backend counts by itself.
 */
@Injectable()
export class RateLimits {
  private readonly users: Limit;
  private readonly addresses: Limit;
  private readonly signIns: Limit;

  constructor(
    @InjectConfig() private readonly config: Config,
    @InjectRedis() private readonly redis: RedisLink | null,
  ) {
    const { per_user, per_address, sign_in } = config.rate_limit;
    this.users = this.limit('user', per_user);
    this.addresses = this.limit('address', per_address);
    this.signIns = this.limit('sign-in', sign_in);
  }

  countUser(userId: string, reply: FastifyReply): Promise<void> {
    return this.count(this.users, 'user', userId, reply);
  }

  countAddress(address: string, reply: FastifyReply): Promise<void> {
    return this.count(this.addresses, 'address', address, reply);
  }

  countSignIn(address: string, reply: FastifyReply): Promise<void> {
    return this.count(this.signIns, 'sign-in', address, reply);
  }

  private async count(limit: Limit, policy: string, key: string, reply: FastifyReply): Promise<void> {
    if (!this.config.rate_limit.enabled) return;
    const { left, refused } = (await this.sharedCount(limit, key)) ?? (await consume(limit.own, key));
    const seconds = Math.ceil(left.msBeforeNext / 1000);
    void reply.header('ratelimit-policy', `"${policy}";q=${limit.points};w=${WINDOW_SECONDS}`);
    void reply.header('ratelimit', `"${policy}";r=${left.remainingPoints};t=${seconds}`);
    if (refused) {
      throw new Problem({
        status: 429,
        code: 'rate_limited',
        detail: `More than ${limit.points} requests a minute (${policy}); come back in ${seconds} s.`,
        retryAfter: Math.max(1, seconds),
      });
    }
  }

  private limit(policy: string, points: number): Limit {
    const options = { points, duration: WINDOW_SECONDS };
    const shared =
      this.redis === null
        ? undefined
        : new RateLimiterRedis({
            ...options,
            storeClient: this.redis.raw,
            useRedisPackage: true,
            keyPrefix: `${PREFIX}rate:${policy}`,
          });
    return { points, own: new RateLimiterMemory(options), shared };
  }

  /** Undefined without Redis. */
  private async sharedCount({ shared }: Limit, key: string): Promise<Consumed | undefined> {
    return shared === undefined ? undefined : this.redis?.run(() => consume(shared, key));
  }
}

interface Consumed {
  left: RateLimiterRes;
  refused: boolean;
}

async function consume(limiter: RateLimiterAbstract, key: string): Promise<Consumed> {
  try {
    return { left: await limiter.consume(key), refused: false };
  } catch (error) {
    if (!(error instanceof RateLimiterRes)) throw error;
    return { left: error, refused: true };
  }
}

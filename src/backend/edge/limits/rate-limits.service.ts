import { Injectable } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { InjectConfig } from '../../../config/config.module.js';
import type { Config } from '../../../config/config.schema.js';
import { Problem } from '../../../http/problem.js';

const WINDOW_SECONDS = 60;

/**
 * Limits requests per minute by user and by address, reported in `RateLimit` headers (IETF
 * draft-ietf-httpapi-ratelimit-headers).
 */
@Injectable()
export class RateLimits {
  private readonly users: RateLimiterMemory;
  private readonly addresses: RateLimiterMemory;
  private readonly signIns: RateLimiterMemory;

  constructor(@InjectConfig() private readonly config: Config) {
    const { per_user, per_address, sign_in } = config.rate_limit;
    const limiter = (points: number) => new RateLimiterMemory({ points, duration: WINDOW_SECONDS });
    this.users = limiter(per_user);
    this.addresses = limiter(per_address);
    this.signIns = limiter(sign_in);
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

  private async count(limiter: RateLimiterMemory, policy: string, key: string, reply: FastifyReply): Promise<void> {
    if (!this.config.rate_limit.enabled) return;
    let left: RateLimiterRes;
    let refused = false;
    try {
      left = await limiter.consume(key);
    } catch (error) {
      if (!(error instanceof RateLimiterRes)) throw error;
      left = error;
      refused = true;
    }
    const seconds = Math.ceil(left.msBeforeNext / 1000);
    void reply.header('ratelimit-policy', `"${policy}";q=${limiter.points};w=${WINDOW_SECONDS}`);
    void reply.header('ratelimit', `"${policy}";r=${left.remainingPoints};t=${seconds}`);
    if (refused) {
      throw new Problem({
        status: 429,
        code: 'rate_limited',
        detail: `More than ${limiter.points} requests a minute (${policy}); come back in ${seconds} s.`,
        retryAfter: Math.max(1, seconds),
      });
    }
  }
}

import { Injectable } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { InjectConfig } from '../../../config/config.module.js';
import type { Config } from '../../../config/config.schema.js';
import { Problem } from '../../../http/problem.js';

/**
 * How many event streams of any kind a user may read at a time: each keeps a connection open for as long as the client
 * wants.
 */
@Injectable()
export class OpenStreams {
  private readonly open = new Map<string, number>();

  constructor(@InjectConfig() private readonly config: Config) {}

  /** Counts a stream until its connection ends. @throws Problem 429 `too_many_streams` */
  enter(userId: string, reply: FastifyReply): void {
    const open = this.open.get(userId) ?? 0;
    const { max_streams_per_user } = this.config.chat;
    if (open >= max_streams_per_user) {
      throw new Problem({
        status: 429,
        code: 'too_many_streams',
        detail: `${open} event streams are open for you; ${max_streams_per_user} at a time are the most.`,
        retryAfter: 1,
      });
    }
    this.open.set(userId, open + 1);
    reply.raw.once('close', () => {
      const left = (this.open.get(userId) ?? 1) - 1;
      if (left > 0) this.open.set(userId, left);
      else this.open.delete(userId);
    });
  }
}

import { Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { LRUCache } from 'lru-cache';
import { DownstreamError } from '../../../resilience/policy/downstream-error.js';
import { InFlight } from '../../../resilience/policy/in-flight.js';
import { type Aged, StaleIfError } from '../../../resilience/policy/stale-if-error.js';
import type { UserCall } from '../../call/public-call.js';

const MAX_AGE_MS = 60 * 60 * 1000;
const MAX_USERS = 1000;
const ENTRIES_PER_USER = 50;

/**
 * Lists and other small reads: identical concurrent reads are merged. While the service is unavailable the last good
 * answer is returned, with its age in `Age` (seconds) and the reason in `X-Caudex-Stale`. A deletion drops everything
 * stored for that user, so that deleted content is not returned again.
 */
@Injectable()
export class SharedReads {
  private readonly inFlight = new InFlight();
  private readonly writes = new LRUCache<string, number>({ max: MAX_USERS });
  private readonly kept = new LRUCache<string, StaleIfError<unknown>>({ max: MAX_USERS });

  async read(
    request: FastifyRequest,
    reply: FastifyReply,
    call: UserCall,
    fresh: () => Promise<unknown>,
  ): Promise<unknown> {
    const { userId } = call;
    // A read after a write does not join one that began before it.
    const shared = { userId, projectId: null, what: `${this.writesOf(call)} ${request.url}` };
    const key = { userId, projectId: null, what: request.url };
    const kept = this.keptFor(call.userId);
    let result: Aged<unknown>;
    try {
      result = await this.inFlight.share(shared, undefined, () => kept.read(key, fresh));
    } catch (error) {
      // The reader that began the shared read has disconnected; this one has not.
      const otherDisconnected =
        error instanceof DownstreamError && error.reason === 'cancelled' && !call.signal.aborted;
      if (!otherDisconnected) throw error;
      result = await kept.read(key, fresh);
    }
    if (result.error !== undefined) {
      void reply.header('age', String(Math.round(result.ageMs / 1000))).header('x-caudex-stale', result.error.reason);
    }
    return result.value;
  }

  written(method: string, call: UserCall): void {
    this.writes.set(call.userId, this.writesOf(call) + 1);
    if (method === 'DELETE') this.kept.delete(call.userId);
  }

  private writesOf({ userId }: UserCall): number {
    return this.writes.get(userId) ?? 0;
  }

  private keptFor(userId: string): StaleIfError<unknown> {
    const kept = this.kept.get(userId) ?? new StaleIfError({ maxEntries: ENTRIES_PER_USER, maxAgeMs: MAX_AGE_MS });
    this.kept.set(userId, kept);
    return kept;
  }
}

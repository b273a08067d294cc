import { randomUUID } from 'node:crypto';
import type { FastifyReply } from 'fastify';
import { PREFIX, type RedisLink } from '../../redis/redis-link.js';

/** A place at a backend that was killed is free again after this time. */
const ABANDONED_MS = 30_000;
const NO_LIMIT = 1_000_000_000;

/**
 * Adds places (ARGV[3] and further) to those of a user (KEYS[1]), a sorted set with the time at which each place ends,
 * where no more than ARGV[1] are taken then; each lasts ARGV[2] ms. Returns 1, or 0 where there is no room.
 */
const TAKE = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if redis.call('ZCARD', KEYS[1]) + #ARGV - 2 > tonumber(ARGV[1]) then return 0 end
for i = 3, #ARGV do redis.call('ZADD', KEYS[1], now + tonumber(ARGV[2]), ARGV[i]) end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1`;

/**
 * Limits how many things of one kind a user has open at a time: at this backend, and at all backends together where there
 * is a Redis. While Redis is away, each backend counts by itself.
 */
export class UserPlaces {
  private readonly taken = new Map<string, Set<string>>();
  private renewing: NodeJS.Timeout | undefined;

  /** @param kind a word for the key in Redis */
  constructor(
    private readonly kind: string,
    private readonly most: number,
    private readonly redis: RedisLink | null,
    private readonly abandonedMs = ABANDONED_MS,
  ) {}

  /** Takes a place until the connection ends. @returns false where all are taken */
  async enter(userId: string, reply: FastifyReply): Promise<boolean> {
    const place = randomUUID();
    if (!this.take(userId, place)) return false;
    const leave = () => this.leave(userId, place);
    reply.raw.once('close', leave);
    // The client went away before.
    if (reply.raw.destroyed) leave();
    if (await this.share(userId, place)) return true;
    leave();
    return false;
  }

  /** Takes a place at this backend. @returns false where all are taken */
  take(userId: string, place: string): boolean {
    const own = this.taken.get(userId) ?? new Set();
    if (own.size >= this.most) return false;
    this.taken.set(userId, own.add(place));
    return true;
  }

  /** Takes the place for all backends too. @returns false where all are taken; the place here is still to be left */
  async share(userId: string, place: string): Promise<boolean> {
    const isTaken = await this.redis?.run((client) => client.eval(TAKE, this.arguments(userId, this.most, [place])));
    if (isTaken === 0) return false;
    // It was left while Redis was asked.
    if (this.taken.get(userId)?.has(place) !== true) this.remove(userId, place);
    this.renewing ??= this.redis === null ? undefined : setInterval(() => this.renew(), this.abandonedMs / 3).unref();
    return true;
  }

  leave(userId: string, place: string): void {
    const own = this.taken.get(userId);
    if (own?.delete(place) !== true) return;
    if (own.size === 0) this.taken.delete(userId);
    this.remove(userId, place);
    if (this.taken.size > 0) return;
    clearInterval(this.renewing);
    this.renewing = undefined;
  }

  private remove(userId: string, place: string): void {
    void this.redis?.run((client) => client.zRem(this.key(userId), place));
  }

  /** Also adds the places that were taken while Redis was away. */
  private renew(): void {
    for (const [userId, own] of this.taken) {
      void this.redis?.run((client) => client.eval(TAKE, this.arguments(userId, NO_LIMIT, [...own])));
    }
  }

  private arguments(userId: string, most: number, places: string[]) {
    return { keys: [this.key(userId)], arguments: [String(most), String(this.abandonedMs), ...places] };
  }

  private key(userId: string): string {
    return `${PREFIX}places:${this.kind}:${userId}`;
  }
}

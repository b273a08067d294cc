import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { z } from 'zod';
import { InjectConfig } from '../../config/config.module.js';
import type { Config } from '../../config/config.schema.js';
import type { ResilientClient } from '../../resilience/wire/resilient-client.js';
import { ServiceRegistry, type StateChange } from '../../resilience/service-registry.js';
import type { RedisLink } from '../redis/redis-link.js';
import { InjectRedis } from '../redis/redis.module.js';

const CHANNEL = 'breakers';
/** A change of one breaker; `by`: the backend. */
const hintSchema = z.object({ by: z.string(), service: z.string(), state: z.enum(['closed', 'open', 'half_open']) });
type Hint = z.output<typeof hintSchema>;

/**
 * Tells the other backends of each change of a breaker, through Redis, and advises the breakers here by what they tell.
 * Advice changes no state: where one backend's breaker has opened, one failure opens it elsewhere, the probes of an outage
 * are made by one backend, and after its success each other one makes its own. Of several whose breakers are open, the one
 * with the lowest id probes first; the others follow if it does not. Without Redis each backend decides by itself.
 */
@Injectable()
export class BreakerHints {
  private readonly id = randomUUID();
  /** For each service the other backends whose breaker is open. */
  private readonly openAt = new Map<string, Set<string>>();

  constructor(
    @InjectConfig() private readonly config: Config,
    private readonly services: ServiceRegistry,
    @InjectRedis() private readonly redis: RedisLink | null,
    private readonly log: PinoLogger,
  ) {
    if (redis === null || !config.redis.breaker_hints.enabled) return;
    redis.listen(CHANNEL, (message) => {
      const { data: hint } = hintSchema.safeParse(message);
      const client = hint && services.get(hint.service);
      if (hint !== undefined && client !== undefined && hint.by !== this.id) this.hear(hint, client);
    });
    services.onStateChange((change) => this.tell(change));
  }

  private tell({ service, from, to }: StateChange): void {
    const client = this.services.get(service);
    // An isolation is an operator's decision about one backend, and its end says nothing of the service.
    if (client === undefined || client.isIsolated || (from === 'open' && to === 'closed')) return;
    // Redis may have been away while others opened and closed.
    if (to === 'closed') this.openAt.delete(service);
    else if (to === 'open' && this.isBehind(service)) client.advise({ says: 'failing', delayMs: this.delayMs });
    this.redis?.tell(CHANNEL, { by: this.id, service, state: to } satisfies Hint);
  }

  private hear({ by, service, state }: Hint, client: ResilientClient): void {
    const open = this.openAt.get(service) ?? new Set();
    if (state === 'closed') open.delete(by);
    else open.add(by);
    this.openAt.set(service, open);
    if (state === 'closed') client.advise({ says: 'recovered' });
    else if (state === 'half_open') client.advise({ says: 'probing', forMs: client.timeoutMs });
    else {
      const isNews = client.state === 'closed';
      client.advise({ says: 'failing', delayMs: this.isBehind(service) ? this.delayMs : 0 });
      if (isNews) this.log.info({ service }, `[${client.title}] Circuit breaker OPEN at another backend`);
    }
  }

  /** Whether another backend is to probe first. */
  private isBehind(service: string): boolean {
    return [...(this.openAt.get(service) ?? [])].some((other) => other < this.id);
  }

  private get delayMs(): number {
    return this.config.redis.breaker_hints.probe_delay_ms;
  }
}

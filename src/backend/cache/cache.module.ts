import { Module } from '@nestjs/common';
import { CONFIG, ConfigModule } from '../../config/config.module.js';
import type { Config } from '../../config/config.schema.js';
import { ProjectsModule } from '../projects/projects.module.js';
import { ProjectEvents } from '../projects/project-events.js';
import type { RedisLink } from '../redis/redis-link.js';
import { REDIS, RedisModule } from '../redis/redis.module.js';
import { type Cache, scopeOf } from './cache.js';
import { MemoryCache } from './memory-cache.js';
import { RedisCache } from './redis-cache.js';
import { SharedCache } from './shared-cache.js';

export const CACHE = Symbol('CACHE');

/** One cache for all data that is derived from a project. Any change to the project empties the project's part. */
@Module({
  imports: [ConfigModule, ProjectsModule, RedisModule],
  providers: [
    {
      provide: CACHE,
      inject: [CONFIG, ProjectEvents, REDIS],
      useFactory: ({ cache }: Config, events: ProjectEvents, redis: RedisLink | null): Cache => {
        const memory = new MemoryCache({ maxBytes: cache.max_bytes, ttlMs: cache.ttl_ms });
        const whole = redis === null ? memory : new SharedCache(memory, new RedisCache(redis, cache.ttl_ms));
        events.onChange((userId, projectId) => whole.empty(scopeOf(userId, projectId)));
        return whole;
      },
    },
  ],
  exports: [CACHE],
})
export class CacheModule {}

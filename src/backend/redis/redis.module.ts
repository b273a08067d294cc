import { Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { CONFIG, ConfigModule } from '../../config/config.module.js';
import type { Config } from '../../config/config.schema.js';
import { RedisLink } from './redis-link.js';

/** The {@link RedisLink}, or null where no Redis is configured. */
export const REDIS = Symbol('REDIS');
export const InjectRedis = () => Inject(REDIS);

@Module({
  imports: [ConfigModule],
  providers: [
    {
      provide: REDIS,
      inject: [CONFIG, PinoLogger],
      useFactory: ({ redis, patience, secrets }: Config, log: PinoLogger) =>
        redis.url === null
          ? null
          : new RedisLink({ url: redis.url, password: secrets.redis_password }, patience.redis_ms, log),
    },
  ],
  exports: [REDIS],
})
export class RedisModule implements OnApplicationShutdown {
  constructor(@InjectRedis() private readonly redis: RedisLink | null) {}

  async onApplicationShutdown(): Promise<void> {
    await this.redis?.close();
  }
}

import { Module } from '@nestjs/common';
import { ConfigModule } from '../../config/config.module.js';
import { ResilienceModule } from '../../resilience/resilience.module.js';
import { RedisModule } from '../redis/redis.module.js';
import { BreakerHints } from './breaker-hints.service.js';

@Module({
  imports: [ConfigModule, ResilienceModule, RedisModule],
  providers: [BreakerHints],
})
export class BreakerHintsModule {}

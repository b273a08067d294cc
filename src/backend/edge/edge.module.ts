import { Module, StandardSchemaValidationPipe } from '@nestjs/common';
import { APP_PIPE } from '@nestjs/core';
import { faultsOf, invalidRequest } from '../../http/implements.decorator.js';
import { ConfigModule } from '../../config/config.module.js';
import { RedisModule } from '../redis/redis.module.js';
import { Deletions } from '../call/deletions.js';
import { AnswerCounts } from './answer-counts.service.js';
import { OpenStreams } from './limits/open-streams.js';
import { RateLimits } from './limits/rate-limits.service.js';
import { IdempotencyStore } from './idempotency/idempotency.store.js';
import { SharedReads } from './reads/shared-reads.js';

/** The parts that all public routes share: rate limits, idempotency keys, shared reads, validation. */
@Module({
  imports: [ConfigModule, RedisModule],
  providers: [
    {
      provide: APP_PIPE,
      useFactory: () =>
        new StandardSchemaValidationPipe({
          exceptionFactory: (issues) => invalidRequest(issues.flatMap((issue) => faultsOf(issue))),
        }),
    },
    RateLimits,
    IdempotencyStore,
    SharedReads,
    OpenStreams,
    Deletions,
    AnswerCounts,
  ],
  exports: [RateLimits, IdempotencyStore, SharedReads, OpenStreams, Deletions, AnswerCounts],
})
export class EdgeModule {}

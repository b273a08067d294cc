import { join } from 'node:path';
import { Module, StandardSchemaValidationPipe } from '@nestjs/common';
import { APP_PIPE } from '@nestjs/core';
import { faultsOf, invalidRequest } from '../../http/implements.decorator.js';
import { CONFIG, ConfigModule } from '../../config/config.module.js';
import type { Config } from '../../config/config.schema.js';
import { DATABASE } from '../../http/database.module.js';
import { LoggingModule } from '../../http/logging.module.js';
import { REPLICAS, ReplicasModule } from '../../replicas/replicas.module.js';
import type { Replicas } from '../../replicas/replicas.js';
import type { Postgres } from '../../storage/postgres/postgres.js';
import { RedisModule } from '../redis/redis.module.js';
import { AuditModule } from '../audit/audit.module.js';
import { Deletions } from '../call/deletions.js';
import { AnswerCounts } from './answer-counts.service.js';
import { OpenStreams } from './limits/open-streams.js';
import { RateLimits } from './limits/rate-limits.service.js';
import { AnswerStore } from './idempotency/answer.store.js';
import { Idempotency } from './idempotency/idempotency.service.js';
import { PostgresAnswerStore } from './idempotency/postgres-answer.store.js';
import { SqliteAnswerStore } from './idempotency/sqlite-answer.store.js';
import { SharedReads } from './reads/shared-reads.js';

function openAnswers({ data_dir }: Config, database: Postgres | null, replicas: Replicas | null): AnswerStore {
  if (database !== null && replicas !== null) return new PostgresAnswerStore(database, replicas);
  return new SqliteAnswerStore(join(data_dir, 'backend', 'idempotency.db'));
}

/** The parts that all public routes share: rate limits, audit log, idempotency keys, shared reads, validation. */
@Module({
  imports: [ConfigModule, LoggingModule, RedisModule, ReplicasModule, AuditModule],
  providers: [
    {
      provide: APP_PIPE,
      useFactory: () =>
        new StandardSchemaValidationPipe({
          exceptionFactory: (issues) => invalidRequest(issues.flatMap((issue) => faultsOf(issue))),
        }),
    },
    RateLimits,
    { provide: AnswerStore, inject: [CONFIG, DATABASE, REPLICAS], useFactory: openAnswers },
    Idempotency,
    SharedReads,
    OpenStreams,
    Deletions,
    AnswerCounts,
  ],
  exports: [RateLimits, Idempotency, ReplicasModule, AuditModule, SharedReads, OpenStreams, Deletions, AnswerCounts],
})
export class EdgeModule {}

import { Module } from '@nestjs/common';
import { APP_FILTER, APP_GUARD } from '@nestjs/core';
import { ConfigModule } from '../config/config.module.js';
import { HealthController } from './health.controller.js';
import { InternalTokenGuard } from './internal-token.guard.js';
import { Lifecycle } from './lifecycle.js';
import { LoggingModule } from './logging.module.js';
import { ProblemFilter } from './problem.filter.js';

/** What every process speaks: problem+json and logging. */
@Module({
  imports: [ConfigModule, LoggingModule],
  providers: [{ provide: APP_FILTER, useClass: ProblemFilter }, Lifecycle],
  exports: [Lifecycle, LoggingModule],
})
export class HttpModule {}

/** The same for the servers behind the backend: probes, and nobody without the internal token. */
@Module({
  imports: [HttpModule, ConfigModule],
  controllers: [HealthController],
  providers: [{ provide: APP_GUARD, useClass: InternalTokenGuard }],
  exports: [HttpModule],
})
export class InternalServerModule {}

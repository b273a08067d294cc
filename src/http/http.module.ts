import { Module } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { ConfigModule } from '../config/config.module.js';
import { HealthController } from './health.controller.js';
import { Lifecycle } from './lifecycle.js';
import { LoggingModule } from './logging.module.js';
import { ProblemFilter } from './problem.filter.js';

/** What every process has: problem+json errors and logging. */
@Module({
  imports: [ConfigModule, LoggingModule],
  providers: [{ provide: APP_FILTER, useClass: ProblemFilter }, Lifecycle],
  exports: [Lifecycle, LoggingModule],
})
export class HttpModule {}

/** The same for the servers behind the backend, with their probes. */
@Module({
  imports: [HttpModule, ConfigModule],
  controllers: [HealthController],
  exports: [HttpModule],
})
export class InternalServerModule {}

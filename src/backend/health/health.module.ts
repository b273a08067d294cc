import { Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { HttpModule } from '../../http/http.module.js';
import { ResilienceModule } from '../../resilience/resilience.module.js';
import { HealthReportController } from './health-report.controller.js';
import { HealthController } from '../../http/health.controller.js';

/** The probes of the process and the Terminus report of its breakers. */
@Module({
  imports: [TerminusModule, HttpModule, ResilienceModule],
  controllers: [HealthReportController, HealthController],
})
export class HealthModule {}

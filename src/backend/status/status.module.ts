import { Module } from '@nestjs/common';
import { AuditModule } from '../audit/audit.module.js';
import { ConfigModule } from '../../config/config.module.js';
import { HttpModule } from '../../http/http.module.js';
import { ResilienceModule } from '../../resilience/resilience.module.js';
import { EdgeModule } from '../edge/edge.module.js';
import { CopiesModule } from '../copies/copies.module.js';
import { OutboxModule } from '../../outbox/outbox.module.js';
import { AuditController } from './audit.controller.js';
import { StatusController } from './status.controller.js';
import { OutboxController } from './outbox.controller.js';
import { MetricsController } from './metrics.controller.js';
import { BackendMetrics } from './backend-metrics.service.js';

@Module({
  imports: [AuditModule, ConfigModule, HttpModule, EdgeModule, ResilienceModule, OutboxModule, CopiesModule],
  controllers: [StatusController, OutboxController, MetricsController, AuditController],
  providers: [BackendMetrics],
})
export class StatusModule {}

import { Module } from '@nestjs/common';
import { AuditModule } from '../audit/audit.module.js';
import { ConfigModule } from '../../config/config.module.js';
import { EdgeModule } from '../edge/edge.module.js';
import { OutboxModule } from '../../outbox/outbox.module.js';
import { AuthModule } from '../../downstream/auth/auth.module.js';
import { BillingModule } from '../../downstream/billing/billing.module.js';
import { BillingController } from './billing.controller.js';
import { Grants } from './grants.service.js';
import { Credits } from './credits.service.js';

@Module({
  imports: [AuditModule, ConfigModule, EdgeModule, OutboxModule, AuthModule, BillingModule],
  controllers: [BillingController],
  providers: [Credits, Grants],
  exports: [Credits],
})
export class CreditsModule {}

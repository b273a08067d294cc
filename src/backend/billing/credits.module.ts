import { Module } from '@nestjs/common';
import { ConfigModule } from '../../config/config.module.js';
import { EdgeModule } from '../edge/edge.module.js';
import { OutboxModule } from '../../outbox/outbox.module.js';
import { BillingModule } from '../../downstream/billing/billing.module.js';
import { BillingController } from './billing.controller.js';
import { Credits } from './credits.service.js';

@Module({
  imports: [ConfigModule, EdgeModule, OutboxModule, BillingModule],
  controllers: [BillingController],
  providers: [Credits],
  exports: [Credits],
})
export class CreditsModule {}

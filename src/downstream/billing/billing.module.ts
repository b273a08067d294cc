import { Module } from '@nestjs/common';
import { ResilienceModule } from '../../resilience/resilience.module.js';
import { BillingClient } from './billing.client.js';

@Module({
  imports: [ResilienceModule.forService('billing', 'Billing Server')],
  providers: [BillingClient],
  exports: [BillingClient],
})
export class BillingModule {}

import { join } from 'node:path';
import { Module, type OnApplicationShutdown } from '@nestjs/common';
import { CONFIG, ConfigModule } from '../../../config/config.module.js';
import type { Config } from '../../../config/config.schema.js';
import { InternalServerModule } from '../../../http/http.module.js';
import { BillingController } from './billing.controller.js';
import { BillingService } from './billing.service.js';
import { Ledger } from './ledger.js';
import { SqliteLedger } from './sqlite-ledger.js';

const openLedger = ({ data_dir, billing }: Config) =>
  new SqliteLedger(join(data_dir, 'billing', 'ledger.sqlite'), {
    startingCredits: billing.starting_credits,
    reservationTtlMs: billing.reservation_ttl_ms,
  });

@Module({
  imports: [InternalServerModule, ConfigModule],
  controllers: [BillingController],
  providers: [BillingService, { provide: Ledger, inject: [CONFIG], useFactory: openLedger }],
})
export class BillingServerModule implements OnApplicationShutdown {
  constructor(private readonly ledger: Ledger) {}

  onApplicationShutdown(): Promise<void> {
    return this.ledger.close();
  }
}

import { join } from 'node:path';
import { Module, type OnApplicationShutdown } from '@nestjs/common';
import { CONFIG, ConfigModule } from '../../../config/config.module.js';
import type { Config } from '../../../config/config.schema.js';
import { DATABASE, DatabaseModule } from '../../../http/database.module.js';
import { InternalServerModule } from '../../../http/http.module.js';
import type { Postgres } from '../../../storage/postgres/postgres.js';
import { BILLING_PART } from './billing-database.js';
import { BillingController } from './billing.controller.js';
import { BillingService } from './billing.service.js';
import { Ledger } from './ledger.js';
import { PostgresLedger } from './postgres-ledger.js';
import { SqliteLedger } from './sqlite-ledger.js';

function openLedger({ data_dir, billing }: Config, database: Postgres | null): Ledger {
  const options = { startingCredits: billing.starting_credits, reservationTtlMs: billing.reservation_ttl_ms };
  if (database !== null) return new PostgresLedger(database, options);
  return new SqliteLedger(join(data_dir, 'billing', 'ledger.sqlite'), options);
}

@Module({
  imports: [InternalServerModule, ConfigModule, DatabaseModule.of(BILLING_PART)],
  controllers: [BillingController],
  providers: [BillingService, { provide: Ledger, inject: [CONFIG, DATABASE], useFactory: openLedger }],
})
export class BillingServerModule implements OnApplicationShutdown {
  constructor(private readonly ledger: Ledger) {}

  onApplicationShutdown(): Promise<void> {
    return this.ledger.close();
  }
}

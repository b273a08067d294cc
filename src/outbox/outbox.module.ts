import { join } from 'node:path';
import { Module } from '@nestjs/common';
import { ConfigModule, CONFIG } from '../config/config.module.js';
import type { Config } from '../config/config.schema.js';
import { LoggingModule } from '../http/logging.module.js';
import { ResilienceModule } from '../resilience/resilience.module.js';
import { Outbox, OUTBOX_STORE } from './outbox.service.js';
import { SqliteOutboxStore } from './sqlite-outbox.store.js';

@Module({
  imports: [ConfigModule, LoggingModule, ResilienceModule],
  providers: [
    Outbox,
    {
      provide: OUTBOX_STORE,
      inject: [CONFIG],
      useFactory: (config: Config) =>
        new SqliteOutboxStore(join(config.data_dir, 'backend', 'outbox.db'), config.outbox.max_bytes),
    },
  ],
  exports: [Outbox],
})
export class OutboxModule {}

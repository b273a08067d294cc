import { join } from 'node:path';
import { Module } from '@nestjs/common';
import { ConfigModule, CONFIG } from '../config/config.module.js';
import type { Config } from '../config/config.schema.js';
import { DATABASE } from '../http/database.module.js';
import { LoggingModule } from '../http/logging.module.js';
import { REPLICAS, ReplicasModule } from '../replicas/replicas.module.js';
import type { Replicas } from '../replicas/replicas.js';
import { ResilienceModule } from '../resilience/resilience.module.js';
import type { Postgres } from '../storage/postgres/postgres.js';
import { Outbox, OUTBOX_STORE } from './outbox.service.js';
import type { OutboxStore } from './outbox.store.js';
import { PostgresOutboxStore } from './postgres-outbox.store.js';
import { SqliteOutboxStore } from './sqlite-outbox.store.js';

function openStore({ data_dir, outbox }: Config, database: Postgres | null, replicas: Replicas | null): OutboxStore {
  if (database !== null && replicas !== null) return new PostgresOutboxStore(database, replicas, outbox.max_bytes);
  return new SqliteOutboxStore(join(data_dir, 'backend', 'outbox.db'), outbox.max_bytes);
}

@Module({
  imports: [ConfigModule, LoggingModule, ResilienceModule, ReplicasModule],
  providers: [Outbox, { provide: OUTBOX_STORE, inject: [CONFIG, DATABASE, REPLICAS], useFactory: openStore }],
  exports: [Outbox],
})
export class OutboxModule {}

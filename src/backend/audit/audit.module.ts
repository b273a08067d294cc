import { join } from 'node:path';
import { Module } from '@nestjs/common';
import { CONFIG, ConfigModule } from '../../config/config.module.js';
import type { Config } from '../../config/config.schema.js';
import { DATABASE } from '../../http/database.module.js';
import { LoggingModule } from '../../http/logging.module.js';
import { ReplicasModule } from '../../replicas/replicas.module.js';
import type { Postgres } from '../../storage/postgres/postgres.js';
import { AuditLog } from './audit-log.service.js';
import { AuditStore } from './audit-store.js';
import { FileAuditStore } from './file-audit-store.js';
import { PostgresAuditStore } from './postgres-audit-store.js';

function openStore({ data_dir }: Config, database: Postgres | null): AuditStore {
  return database === null ? new FileAuditStore(join(data_dir, 'backend', 'audit')) : new PostgresAuditStore(database);
}

@Module({
  imports: [ConfigModule, LoggingModule, ReplicasModule],
  providers: [{ provide: AuditStore, inject: [CONFIG, DATABASE], useFactory: openStore }, AuditLog],
  exports: [AuditLog],
})
export class AuditModule {}

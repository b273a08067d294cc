import { join } from 'node:path';
import { Module } from '@nestjs/common';
import { CONFIG, ConfigModule } from '../../config/config.module.js';
import type { Config } from '../../config/config.schema.js';
import { DATABASE } from '../../http/database.module.js';
import { REPLICAS, ReplicasModule } from '../../replicas/replicas.module.js';
import type { Replicas } from '../../replicas/replicas.js';
import type { Postgres } from '../../storage/postgres/postgres.js';
import { EdgeModule } from '../edge/edge.module.js';
import { OutboxModule } from '../../outbox/outbox.module.js';
import { CopiesModule } from '../copies/copies.module.js';
import { ProjectsModule } from '../projects/projects.module.js';
import { DocumentsModule } from '../documents/documents.module.js';
import { ImportsController } from './imports.controller.js';
import { Imports } from './imports.service.js';
import { Importing } from './importing.service.js';
import { ImportStore } from './import.store.js';
import { PostgresImportStore } from './postgres-import.store.js';
import { SqliteImportStore } from './sqlite-import.store.js';

function openStore({ data_dir }: Config, database: Postgres | null, replicas: Replicas | null): ImportStore {
  if (database !== null && replicas !== null) return new PostgresImportStore(database, replicas);
  return new SqliteImportStore(join(data_dir, 'backend', 'imports.db'));
}

@Module({
  imports: [ConfigModule, ReplicasModule, EdgeModule, OutboxModule, CopiesModule, ProjectsModule, DocumentsModule],
  controllers: [ImportsController],
  providers: [
    Imports,
    Importing,
    { provide: ImportStore, inject: [CONFIG, DATABASE, REPLICAS], useFactory: openStore },
  ],
})
export class ImportsModule {}

import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import { CONFIG, ConfigModule } from '../../../config/config.module.js';
import type { Config } from '../../../config/config.schema.js';
import { InternalServerModule } from '../../../http/http.module.js';
import { openDatabase } from '../../../storage/sqlite.js';
import { GitController } from './git.controller.js';
import { GitService } from './git.service.js';
import { GRAPH_STORE } from './graph-store.js';
import { GRAPH_TABLES, SqliteGraphStore } from './sqlite-graph.store.js';
import { VERSION_TABLES, VersionStore } from './version-store.js';

@Module({
  imports: [ConfigModule, InternalServerModule],
  controllers: [GitController],
  providers: [
    GitService,
    {
      provide: DatabaseSync,
      inject: [CONFIG],
      useFactory: (config: Config) =>
        openDatabase(join(config.data_dir, 'git', 'git.db'), [VERSION_TABLES, GRAPH_TABLES]),
    },
    { provide: VersionStore, inject: [DatabaseSync], useFactory: (db: DatabaseSync) => new VersionStore(db) },
    { provide: GRAPH_STORE, inject: [DatabaseSync], useFactory: (db: DatabaseSync) => new SqliteGraphStore(db) },
  ],
})
export class GitServerModule implements OnApplicationShutdown {
  constructor(@Inject(DatabaseSync) private readonly db: DatabaseSync) {}

  onApplicationShutdown(): void {
    if (this.db.isOpen) this.db.close();
  }
}

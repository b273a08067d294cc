import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Inject, Module, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { CONFIG, ConfigModule } from '../../../config/config.module.js';
import type { Config } from '../../../config/config.schema.js';
import { InternalServerModule } from '../../../http/http.module.js';
import { openDatabase } from '../../../storage/sqlite.js';
import { GitController } from './git.controller.js';
import { FillService } from './versions/fill.service.js';
import { MoveService } from './versions/move.service.js';
import { GitService, repositoryOf } from './versions/git.service.js';
import { DocumentNames } from './graph/document-names.js';
import { GraphFeed, PENDING_TABLES, SET_ASIDE } from './graph/graph-feed.js';
import { GRAPH_STORE, type GraphStore } from './graph/graph-store.js';
import { ImportsController } from './imports/imports.controller.js';
import { ImportsService } from './imports/imports.service.js';
import { Neo4jGraphStore } from './graph/neo4j-graph.store.js';
import { EDGES_BACK, GRAPH_TABLES, SqliteGraphStore } from './graph/sqlite-graph.store.js';
import {
  AUTHOR_EMAIL,
  FILLING_TABLES,
  HEAD_TABLES,
  HEADS_FOLLOW,
  IMPORT_TABLES,
  MOVED_FROM,
  VERSION_TABLES,
  VersionStore,
} from './versions/version-store.js';

@Module({
  imports: [ConfigModule, InternalServerModule],
  controllers: [GitController, ImportsController],
  providers: [
    GitService,
    MoveService,
    FillService,
    ImportsService,
    {
      provide: DatabaseSync,
      inject: [CONFIG],
      useFactory: (config: Config) => openDatabase(join(config.data_dir, 'git', 'git.db'), GIT_MIGRATIONS),
    },
    { provide: VersionStore, inject: [DatabaseSync], useFactory: (db: DatabaseSync) => new VersionStore(db) },
    { provide: GRAPH_STORE, inject: [CONFIG, DatabaseSync], useFactory: graphStore },
    {
      provide: GraphFeed,
      inject: [CONFIG, DatabaseSync, GRAPH_STORE, VersionStore],
      useFactory: (config: Config, db: DatabaseSync, graph: GraphStore, versions: VersionStore) =>
        new GraphFeed(
          db,
          graph,
          (project, commit, path) => repositoryOf(config.data_dir, project).textAt(commit, path),
          new DocumentNames((project) => versions.paths(project)),
          config.patience.graph_ms,
        ),
    },
  ],
})
export class GitServerModule implements OnApplicationBootstrap, OnApplicationShutdown {
  constructor(
    @Inject(DatabaseSync) private readonly db: DatabaseSync,
    @Inject(GRAPH_STORE) private readonly graph: GraphStore,
    private readonly feed: GraphFeed,
    private readonly imports: ImportsService,
  ) {}

  onApplicationBootstrap(): void {
    void this.feed.catchUp();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.imports.end();
    await this.feed.stop();
    await this.graph.close();
    if (this.db.isOpen) this.db.close();
  }
}

export const GIT_MIGRATIONS = [
  VERSION_TABLES,
  GRAPH_TABLES,
  AUTHOR_EMAIL,
  PENDING_TABLES,
  IMPORT_TABLES,
  SET_ASIDE,
  HEAD_TABLES,
  MOVED_FROM,
  EDGES_BACK,
  HEADS_FOLLOW,
  FILLING_TABLES,
];

function graphStore({ git, patience, secrets }: Config, db: DatabaseSync): GraphStore {
  if (git.graph_url === null) return new SqliteGraphStore(db);
  const { graph_url: url, graph_user: user } = git;
  return new Neo4jGraphStore({ url, user, password: secrets.graph_password, connectMs: patience.neo4j_ms });
}

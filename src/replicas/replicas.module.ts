import { Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { CONFIG, ConfigModule } from '../config/config.module.js';
import type { Config } from '../config/config.schema.js';
import { DATABASE } from '../http/database.module.js';
import { LoggingModule } from '../http/logging.module.js';
import type { Postgres } from '../storage/postgres/postgres.js';
import { BACKEND_DATABASE } from './backend-database.js';
import { Replicas } from './replicas.js';

/** The backends on the same PostgreSQL database; null without one, where this is the only backend. */
export const REPLICAS = Symbol('Replicas');

async function openReplicas({ storage }: Config, database: Postgres | null, log: PinoLogger): Promise<Replicas | null> {
  if (database === null) return null;
  const { replica_beat_ms: beatMs, replica_timeout_ms: timeoutMs } = storage.postgres;
  const replicas = new Replicas(database, { beatMs, timeoutMs }, (message) => log.warn(message));
  // Before any store writes the id of this process. None is dead until the stores have registered what they inherit.
  await replicas.start();
  return replicas;
}

@Module({
  imports: [ConfigModule, LoggingModule, BACKEND_DATABASE],
  providers: [{ provide: REPLICAS, inject: [CONFIG, DATABASE, PinoLogger], useFactory: openReplicas }],
  exports: [REPLICAS, BACKEND_DATABASE],
})
export class ReplicasModule implements OnApplicationShutdown {
  constructor(@Inject(REPLICAS) private readonly replicas: Replicas | null) {}

  /** Nest calls it after the modules that use it have ended. */
  async onApplicationShutdown(): Promise<void> {
    await this.replicas?.stop();
  }
}

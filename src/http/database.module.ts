import { type DynamicModule, Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { CONFIG, ConfigModule } from '../config/config.module.js';
import type { Config } from '../config/config.schema.js';
import type { Part } from '../storage/postgres/open-postgres.js';
import type { Postgres } from '../storage/postgres/postgres.js';
import { postgresSettings } from '../storage/postgres/settings.js';
import { LoggingModule } from './logging.module.js';

/** The process's part of the PostgreSQL database; null where `DATABASE_URL` is not set. */
export const DATABASE = Symbol('Database');

@Module({})
export class DatabaseModule implements OnApplicationShutdown {
  constructor(@Inject(DATABASE) private readonly database: Postgres | null) {}

  /** Modules that import the same returned object share the connections. */
  static of(part: Part): DynamicModule {
    const useFactory = async (config: Config, log: PinoLogger) => {
      const settings = postgresSettings(config);
      if (settings === undefined) return null;
      const { openPostgres } = await import('../storage/postgres/open-postgres.js');
      return openPostgres(settings, part, (message) => log.warn(message));
    };
    return {
      module: DatabaseModule,
      imports: [ConfigModule, LoggingModule],
      providers: [{ provide: DATABASE, inject: [CONFIG, PinoLogger], useFactory }],
      exports: [DATABASE],
    };
  }

  /** Nest calls it after the modules that use the connections have ended. */
  async onApplicationShutdown(): Promise<void> {
    await this.database?.close();
  }
}

import { AsyncLocalStorage } from 'node:async_hooks';
import { Inject, Module } from '@nestjs/common';
import { ConfigModule as NestConfigModule, ConfigService } from '@nestjs/config';
import { loadConfig } from './config.loader.js';
import type { Config } from './config.schema.js';

/** The injection token of the process's whole, frozen {@link Config}. */
export const CONFIG = Symbol('Config');
export const InjectConfig = () => Inject(CONFIG);

let config: Config | undefined;
const given = new AsyncLocalStorage<Config>();

/** The configuration of this process, read on the first call. @throws ConfigError */
export function currentConfig(): Config {
  return given.getStore() ?? (config ??= loadConfig());
}

/** Whether this is the process's own configuration, which is reloaded from its files. */
export function isOwnConfig(candidate: Config): boolean {
  return candidate === config;
}

/** Runs `start` with this configuration in place of the process's own: several servers can share a process, as in tests. */
export function withConfig<T>(config: Config, start: () => T): T {
  return given.run(config, start);
}

@Module({
  imports: [
    NestConfigModule.forRoot({ ignoreEnvFile: true, ignoreEnvVars: true, load: [() => ({ caudex: currentConfig() })] }),
  ],
  providers: [
    {
      provide: CONFIG,
      inject: [ConfigService],
      useFactory: (service: ConfigService): Config => service.getOrThrow<Config>('caudex'),
    },
  ],
  exports: [CONFIG],
})
export class ConfigModule {}

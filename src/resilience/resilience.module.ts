import { HttpModule, HttpService } from '@nestjs/axios';
import { type DynamicModule, Module, type OnApplicationBootstrap } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { configDir, loadConfig } from '../config/config.loader.js';
import { CONFIG, ConfigModule, InjectConfig, isOwnConfig } from '../config/config.module.js';
import { ConfigReloader } from '../config/config.reloader.js';
import type { Config, DownstreamSettings, ServiceName } from '../config/config.schema.js';
import { systemClock } from './clock.js';
import { HttpTransport } from './http-transport.js';
import { registerResilienceMetrics } from './resilience-metrics.js';
import { ResilientClient } from './resilient-client.js';
import { ServiceRegistry } from './service-registry.js';
import { bearerHeaders, internalHeaders } from './wire-headers.js';

/** One registry for the process, and what speaks to all of its clients. */
@Module({
  imports: [ConfigModule],
  providers: [
    ServiceRegistry,
    {
      provide: ConfigReloader,
      inject: [CONFIG, PinoLogger],
      useFactory: (config: Config, log: PinoLogger) =>
        new ConfigReloader(config, log, isOwnConfig(config) ? configDir() : null, loadConfig),
    },
  ],
  exports: [ServiceRegistry],
})
class ServiceRegistryModule implements OnApplicationBootstrap {
  constructor(
    @InjectConfig() private readonly config: Config,
    private readonly registry: ServiceRegistry,
    private readonly reloader: ConfigReloader,
  ) {}

  onApplicationBootstrap(): void {
    if (this.config.metrics.enabled) registerResilienceMetrics(() => this.registry.all());
    this.reloader.onReload(({ downstream }) => {
      for (const client of this.registry.all()) client.reconfigure(downstream[client.service]);
    });
  }
}

/** Imported as it is, it provides the {@link ServiceRegistry}. */
@Module({ imports: [ServiceRegistryModule], exports: [ServiceRegistryModule] })
export class ResilienceModule {
  /** Provides the {@link ResilientClient} of one service to the module that imports this. */
  static forService(name: ServiceName, title: string): DynamicModule {
    return {
      module: ResilienceModule,
      imports: [ConfigModule, HttpModule.register({})],
      providers: [
        {
          provide: ResilientClient,
          inject: [CONFIG, ServiceRegistry, HttpService, PinoLogger],
          useFactory: (config: Config, registry: ServiceRegistry, http: HttpService, sink: PinoLogger) => {
            const { internal_service_token, llm_api_key } = config.secrets;
            const client = new ResilientClient({
              service: name,
              title,
              settings: config.downstream[name],
              connect: ({ url, timeout_ms }: DownstreamSettings) =>
                url === null ? null : new HttpTransport(http.axiosRef, url, timeout_ms),
              headers:
                name === 'llm' ? bearerHeaders(llm_api_key) : internalHeaders(internal_service_token, systemClock),
              sink,
              onTransition: (transition) => registry.announce({ service: name, ...transition }),
            });
            registry.add(client);
            return client;
          },
        },
      ],
      exports: [ResilientClient],
    };
  }
}

import { HttpModule, HttpService } from '@nestjs/axios';
import { type DynamicModule, Module } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { CONFIG, ConfigModule } from '../config/config.module.js';
import type { Config, DownstreamSettings, ServiceName } from '../config/config.schema.js';
import { systemClock } from './clock.js';
import { HttpTransport } from './http-transport.js';
import { ResilientClient } from './resilient-client.js';
import { ServiceRegistry } from './service-registry.js';
import { bearerHeaders, internalHeaders } from './wire-headers.js';

/** One registry for the process. */
@Module({ providers: [ServiceRegistry], exports: [ServiceRegistry] })
class ServiceRegistryModule {}

/** Imported as it is, it provides the {@link ServiceRegistry}. */
@Module({ imports: [ServiceRegistryModule], exports: [ServiceRegistryModule] })
export class ResilienceModule {
  /** Provides the {@link ResilientClient} of one service to the module that imports this. */
  static forService(name: ServiceName, title: string): DynamicModule {
    return {
      module: ResilienceModule,
      imports: [
        ConfigModule,
        HttpModule.register({
          maxRedirects: 0,
          proxy: false,
          transformRequest: [],
          transformResponse: [],
          validateStatus: null,
        }),
      ],
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

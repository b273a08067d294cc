import { HttpModule, HttpService } from '@nestjs/axios';
import { type DynamicModule, Module, type OnApplicationBootstrap } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { configDir, loadConfig } from '../config/config.loader.js';
import { CONFIG, ConfigModule, InjectConfig, isOwnConfig } from '../config/config.module.js';
import { ConfigReloader } from '../config/config.reloader.js';
import {
  type ClientName,
  type Config,
  type DownstreamSettings,
  isCopied,
  type ServiceName,
} from '../config/config.schema.js';
import { isModel, keyOf, modelNames, settingsOf } from '../config/llm-models.js';
import { systemClock } from './policy/clock.js';
import { BalancedTransport, type BalancingParts } from './wire/balanced-transport.js';
import { type EndpointAddress, mayBeSeveral, urlsOf } from './wire/endpoints.js';
import { HttpTransport } from './wire/http-transport.js';
import { registerResilienceMetrics } from './report/resilience-metrics.js';
import { routeTo } from './wire/outside.js';
import { ResilientClient } from './wire/resilient-client.js';
import { ServiceRegistry } from './service-registry.js';
import { bearerHeaders, internalHeaders } from './wire/wire-headers.js';

/** One registry for the process, and the providers that act on all of its clients. */
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
    private readonly log: PinoLogger,
  ) {}

  onApplicationBootstrap(): void {
    if (this.config.metrics.enabled) registerResilienceMetrics(() => this.registry.all());
    const { llm } = this.config;
    this.reloader.onReload(({ downstream }) => {
      // The list of models is fixed at the start.
      for (const client of this.registry.all()) {
        const settings = settingsOf({ downstream, llm }, client.service);
        client.reconfigure(this.keepsAddresses(client, settings) ? { ...settings, url: client.url } : settings);
      }
    });
  }

  /** The outbox holds deliveries to each server of the list that was configured at the start. */
  private keepsAddresses(client: ResilientClient, { url }: DownstreamSettings): boolean {
    if (url === null || url === client.url || !isCopied(client.service)) return false;
    if (client.copies.length === 0 && urlsOf(url).length === 1) return false;
    this.log.warn(
      {},
      `Configuration changed: downstream.${client.service}.url, a list, takes effect at the next start`,
    );
    return true;
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
          inject: PARTS,
          useFactory: (...parts: Parts) => connect(name, title, ...parts),
        },
      ],
      exports: [ResilientClient],
    };
  }

  /** Provides {@link MODEL_CLIENTS}: a client for each model that is configured, in their order, and at least one. */
  static forModels(): DynamicModule {
    return {
      module: ResilienceModule,
      imports: [ConfigModule, HttpModule.register({})],
      providers: [
        {
          provide: MODEL_CLIENTS,
          inject: PARTS,
          useFactory: (...parts: Parts) =>
            modelNames(parts[0]).map((name, index) =>
              connect(name, index === 0 ? 'LLM Server' : `LLM Server ${index + 1}`, ...parts),
            ),
        },
      ],
      exports: [MODEL_CLIENTS],
    };
  }
}

export const MODEL_CLIENTS = Symbol('MODEL_CLIENTS');

/** The liveness route: it reports on the server's process only, and is cheap. */
const HEALTH_PATH = '/health/live';
const PARTS = [CONFIG, ServiceRegistry, HttpService, PinoLogger];
type Parts = [config: Config, registry: ServiceRegistry, http: HttpService, sink: PinoLogger];

function connect(name: ClientName, title: string, ...parts: Parts): ResilientClient {
  const [config, registry, http, sink] = parts;
  const outside = isModel(name);
  const route = outside ? routeTo(config, name) : undefined;
  const client = new ResilientClient({
    service: name,
    title,
    settings: settingsOf(config, name),
    connect: ({ url, timeout_ms, balancing }, isHealthy, log) => {
      if (url === null) return null;
      const one = (address: EndpointAddress) => new HttpTransport(http.axiosRef, address, timeout_ms, route);
      // The URL of a model is never a list.
      const urls = outside ? [url] : urlsOf(url);
      if (outside || !mayBeSeveral(urls)) return one({ url });
      const onChange: BalancingParts['onChange'] = (endpoint, why) => log.endpointChanged(endpoint, why);
      return new BalancedTransport({
        urls,
        settings: balancing,
        clock: systemClock,
        connect: one,
        isHealthy,
        onChange,
      });
    },
    headers: outside
      ? bearerHeaders(keyOf(config, name))
      : internalHeaders(config.secrets.internal_service_token, systemClock),
    ...(outside ? {} : { healthPath: HEALTH_PATH }),
    copies: copiesOf(name, title, ...parts),
    sink,
    onTransition: (transition) => registry.announce({ service: name, ...transition }),
  });
  registry.add(client);
  return client;
}

/** A client of each server of a service whose servers each keep all data, where there are several. */
function copiesOf(name: ClientName, title: string, ...[config, registry, http, sink]: Parts): ResilientClient[] {
  const settings = settingsOf(config, name);
  const urls = isCopied(name) && settings.url !== null ? [...new Set(urlsOf(settings.url))] : [];
  if (urls.length < 2) return [];
  return urls.map((url) => {
    const copy: ResilientClient = new ResilientClient({
      service: name,
      title: `${title} ${url}`,
      settings: { ...settings, url },
      connect: ({ timeout_ms }) => new HttpTransport(http.axiosRef, { url }, timeout_ms),
      headers: internalHeaders(config.secrets.internal_service_token, systemClock),
      healthPath: HEALTH_PATH,
      sink,
      onTransition: ({ to }) => registry.announceCopy(copy, to),
    });
    return copy;
  });
}

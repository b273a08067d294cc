import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Logger } from 'nestjs-pino';
import { withConfig } from '../config/config.module.js';
import type { AppName, Config } from '../config/config.schema.js';
import { HEADER } from '../contract/endpoint.js';
import { lockDataFolder } from '../storage/data-lock.js';
import type { Tracing } from '../tracing/tracing.js';
import { withoutBootLines } from './boot-logger.js';
import { answerClientError } from './client-error.js';
import { toProblem, writeProblem } from './problem.filter.js';
import { requireInternalToken } from './internal-token.js';
import { Lifecycle } from './lifecycle.js';
import { refuseOversize } from './oversize.js';
import { RequestsInFlight } from './requests-in-flight.js';
import { StartingServer } from './starting-server.js';
import { refuseWrongMethods } from './wrong-method.js';

/** A root module of one of the processes; `configure` sets up what needs the raw Fastify instance. */
export interface AppModule extends Type {
  configure?(app: NestFastifyApplication, config: Config, tracing: Tracing | undefined): Promise<void>;
}

export interface RunningServer {
  readonly app: NestFastifyApplication;
  readonly port: number;
  /**
   * Fails readiness for `http.drain_delay_ms`, refuses new requests, finishes those in flight (`http.shutdown_ms` at most),
   * and closes the port and the stores.
   */
  close(): Promise<void>;
}

/** How much a text can grow as JSON between the servers: a control character becomes six. Base64 grows by a third only. */
const JSON_GROWTH = 6;
const CHECKING_MS = 1000;
const ROUTING = { maxParamLength: 4096, ignoreTrailingSlash: true };
const MAX_LISTENERS = 20;

/**
 * Starts one process's server and returns when it takes requests.
 * @throws Error with code EADDRINUSE and the like; StartError where another process has the data folder
 */
export async function startServer(name: AppName, module: AppModule, config: Config): Promise<RunningServer> {
  const unlock = lockDataFolder(config.data_dir, name);
  try {
    return await start(name, module, config, unlock);
  } catch (error) {
    unlock();
    throw error;
  }
}

async function start(name: AppName, module: AppModule, config: Config, unlock: () => void): Promise<RunningServer> {
  const { http } = config;
  const bodyLimit = name === 'backend' ? http.max_body_bytes : JSON_GROWTH * http.max_body_bytes;
  const adapter = new FastifyAdapter({
    trustProxy: name === 'backend' && http.trusted_proxies.length > 0 ? [...http.trusted_proxies] : false,
    bodyLimit,
    requestTimeout: http.request_timeout_ms,
    http: {
      headersTimeout: http.headers_timeout_ms,
      // Node checks for slow clients every 30 s by default.
      connectionsCheckingInterval: Math.min(CHECKING_MS, http.headers_timeout_ms),
    },
    // `RequestsInFlight` refuses requests while the process drains, as problem+json.
    return503OnClosing: false,
    clientErrorHandler: answerClientError,
    frameworkErrors: answerBadAddress,
    keepAliveTimeout: 65_000,
    forceCloseConnections: 'idle',
    routerOptions: ROUTING,
    genReqId: (request: { headers: Record<string, string | string[] | undefined> }) =>
      acceptedId(request.headers[HEADER.requestId]) ?? randomUUID(),
  });
  const port = config.port ?? config.ports[name];
  const starting = new StartingServer(port, config.host);
  const app = await withConfig(config, () =>
    NestFactory.create<NestFastifyApplication>(module, adapter, {
      bufferLogs: true,
      abortOnError: false,
      // The reason why a start failed is printed as one line.
      autoFlushLogs: false,
    }),
  ).finally(() => starting.close());
  const logger = app.get(Logger);
  app.useLogger(withoutBootLines(logger));
  app.flushLogs();
  const lifecycle = app.get(Lifecycle, { strict: false });
  const fastify = adapter.getInstance();
  const instance = randomUUID();
  fastify.addHook('onRequest', (request, reply, done) => {
    // Each part that waits for the end of an answer adds a listener, once.
    reply.raw.setMaxListeners(MAX_LISTENERS);
    reply.header(HEADER.requestId, request.id);
    if (name !== 'backend') reply.header(HEADER.instance, instance);
    done();
  });
  const inFlight = new RequestsInFlight(fastify, lifecycle);
  const tracing = await startTracing(name, config, logger);
  tracing?.requests(fastify);
  if (name !== 'backend') requireInternalToken(fastify, config.secrets);
  refuseWrongMethods(fastify, ROUTING);
  refuseOversize(fastify, bodyLimit);
  await module.configure?.(app, config, tracing);
  await app.listen(port, config.host);
  lifecycle.started();
  const bound = (fastify.server.address() as { port: number }).port;
  logger.log(`${name} is ready at http://${config.host}:${bound}`, 'Caudex');

  return {
    app,
    port: bound,
    async close() {
      lifecycle.drain();
      await sleep(http.drain_delay_ms);
      lifecycle.refuse();
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(() => {
          fastify.server.closeAllConnections();
          resolve();
        }, http.shutdown_ms);
      });
      // The port stays open until all requests are finished, so that probes learn that the process drains.
      await Promise.race([inFlight.finished(), late]);
      await app.close();
      clearTimeout(timer);
      await tracing?.stop();
      unlock();
    },
  };
}

/** undefined where no collector is configured: then the tracing code is not loaded at all. */
async function startTracing(name: AppName, { tracing }: Config, logger: Logger): Promise<Tracing | undefined> {
  if (tracing.otlp_url === null) return undefined;
  const { Tracing } = await import('../tracing/tracing.js');
  return new Tracing(name, tracing.otlp_url, tracing.sample_ratio, (message) => logger.warn(message, 'Caudex'));
}

/** A URL that cannot be decoded matches no route and runs no hook. */
function answerBadAddress(error: unknown, { id }: FastifyRequest, reply: FastifyReply): void {
  writeProblem(reply.header(HEADER.requestId, id), toProblem(error));
}

/** A client's request id goes into headers and logs, so only visible ASCII is accepted. */
function acceptedId(value: string | string[] | undefined): string | undefined {
  return typeof value === 'string' && /^[\x21-\x7e]{1,128}$/.test(value) ? value : undefined;
}

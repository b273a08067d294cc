import { z } from 'zod';
import type { DownstreamSettings, ClientName } from '../../config/config.schema.js';
import { isModel } from '../../config/llm-models.js';
import { type Endpoint, type EndpointInput, type EndpointOutput, HEADER } from '../../contract/endpoint.js';
import { decode, refusalOf } from './answer.js';
import { BalancedTransport, type EndpointState } from './balanced-transport.js';
import { decoded } from './content-encoding.js';
import type { Attempt } from '../policy/attempt.js';
import type { CallDetails } from '../policy/call.js';
import type { ByteStream } from './byte-stream.js';
import type { CallContext } from '../policy/call-context.js';
import type { Advice, BreakerState, CircuitBreaker, Transition } from '../policy/circuit-breaker.js';
import {
  type ClientReport,
  type ClientStatus,
  type ClientTimeline,
  reportOf,
  statusOf,
  timelineOf,
} from '../report/client-report.js';
import { type Clock, systemClock } from '../policy/clock.js';
import { DownstreamError } from '../policy/downstream-error.js';
import { Minutes } from '../report/minutes.js';
import { FaultDrill } from './fault-drill.js';
import { Counts } from '../report/counts.js';
import { type Decision, History } from '../report/history.js';
import type { Transport, WireAnswer, WireRequest } from './http-transport.js';
import { LightSignal } from '../policy/light-signal.js';
import { ResiliencePolicy } from '../policy/resilience-policy.js';
import { Rejections } from '../report/rejections.js';
import { type LogSink, ServiceLog } from '../report/service-log.js';
import { StreamedAnswer } from './streamed-answer.js';
import { wireError } from './wire-error.js';
import type { HeaderWriter } from './wire-headers.js';
import { compose } from './wire-request.js';

const healthy = z.object({ status: z.literal('ok') });
/** How long the health route may take. */
const HEALTH_MS = 1000;
function isHealthy({ status, body }: WireAnswer): boolean {
  return status === 200 && healthy.safeParse(JSON.parse(body.toString())).success;
}

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 307, 308]);
const MAX_REDIRECTS = 3;
/** How long calls may take after the last request was answered and the process ends. */
const LAST_CALLS_MS = 1000;

export interface ClientParts {
  service: ClientName;
  title: string;
  settings: DownstreamSettings;
  /** null: no address is configured. @param isHealthy whether the health route behind a transport answers */
  connect: (
    settings: DownstreamSettings,
    isHealthy: (transport: Transport) => Promise<boolean>,
    log: ServiceLog,
  ) => Transport | null;
  headers: HeaderWriter;
  /** A cheap route that answers while the service works. Without it one caller's failures cannot be told from an outage. */
  healthPath?: string;
  /** A client of each server, where the service has several and each keeps all of its data. */
  copies?: readonly ResilientClient[];
  sink: LogSink;
  clock?: Clock;
  onTransition?: (transition: Transition) => void;
}

export interface StreamRequest<T = Uint8Array> {
  method: 'POST';
  path: string;
  headers?: Record<string, string>;
  body: unknown;
  /** false: no second attempt. */
  repeatable?: boolean;
  /** Turns chunks into parts; an error that it throws counts as an answer that breaks the contract. Without it the parts are the chunks. */
  decode?: (chunks: AsyncIterable<Uint8Array>) => AsyncIterable<T>;
}

/** The client for all calls to one downstream service: one for each service and process, so that there is one breaker. */
export class ResilientClient {
  readonly service: ClientName;
  readonly title: string;
  /** The instance id that the server sent last, new with each of its starts; undefined before its first answer. */
  instance: string | undefined;
  readonly policy: ResiliencePolicy;
  readonly counts = new Counts();
  readonly history: History;
  readonly minutes: Minutes;
  readonly rejections: Rejections | undefined;
  private readonly log: ServiceLog;
  private readonly drill: FaultDrill;
  private transport: Transport | null;
  private settings: DownstreamSettings;

  constructor(private readonly parts: ClientParts) {
    const { service, title, settings, sink, clock = systemClock } = parts;
    this.service = service;
    this.title = title;
    this.settings = settings;
    this.drill = new FaultDrill(service, clock);
    this.log = new ServiceLog(sink, service, title);
    this.transport = this.connect();
    this.log.drill(settings.fault_drill);
    this.history = new History(clock);
    this.minutes = new Minutes(clock);
    this.rejections = isModel(service) ? new Rejections(clock) : undefined;
    const { healthPath } = parts;
    const isHealthy = healthPath === undefined ? undefined : () => this.isHealthy(healthPath, clock);
    const announce = { stateChanged: (transition: Transition) => parts.onTransition?.(transition) };
    const rejections = this.rejections ? [this.rejections] : [];
    const observers = [this.log, this.counts, this.history, this.minutes, ...rejections, announce];
    this.policy = new ResiliencePolicy(service, settings, clock, observers, isHealthy);
  }

  get url(): string | null {
    return this.settings.url;
  }

  /** Clients of the single servers, where the service has several and each keeps all of its data. Else empty. */
  get copies(): readonly ResilientClient[] {
    return this.parts.copies ?? [];
  }

  /** The state of the breaker. */
  get state(): BreakerState {
    return this.breaker.name;
  }

  /** Whether there is an address to call. */
  get configured(): boolean {
    return this.transport !== null;
  }

  /** Asks the health route for the current {@link instance}. It does not count for the breaker; while the server is away nothing changes. */
  async lookUp(): Promise<void> {
    const { healthPath, clock = systemClock } = this.parts;
    if (healthPath !== undefined) await this.isHealthy(healthPath, clock).catch(() => false);
  }

  /** @throws DownstreamError */
  async call<E extends Endpoint>(
    endpoint: E,
    input: EndpointInput<E>,
    context: CallContext,
  ): Promise<EndpointOutput<E>> {
    const { path, query, body } = compose(this.service, endpoint, input);
    const call: CallDetails = {
      method: endpoint.method,
      path,
      route: endpoint.path,
      context,
      repeatable: endpoint.idempotent || context.idempotencyKey !== undefined,
    };
    return this.policy.execute(call, (attempt) => {
      const request = this.request(endpoint.method, path + query, body, attempt);
      request.repeatable = call.repeatable;
      request.safe = endpoint.safe ?? endpoint.method === 'GET';
      request.endpoints = context.endpoints;
      return this.carry(attempt, async (transport) => {
        const answer = await transport.send(request, attempt);
        attempt.status = answer.status;
        this.instance = answer.headers[HEADER.instance] ?? this.instance;
        if (answer.endpoint !== undefined) context.endpoints?.answered(answer.endpoint);
        return decode(this.service, endpoint, answer) as EndpointOutput<E>;
      });
    });
  }

  /**
   * A streamed answer. The attempt's timeout ends with the first part, and there is no further attempt after it.
   * Leaving the loop, the caller's signal and the limits abort the request.
   * @throws DownstreamError here and from the loop
   */
  async stream<T = Uint8Array>(request: StreamRequest<T>, context: CallContext): Promise<AsyncIterable<T>> {
    const { method, path, repeatable = true } = request;
    const { idle_timeout_ms = Infinity, stream_timeout_ms = Infinity } = this.settings;
    const call: CallDetails = {
      method,
      path,
      route: path,
      context,
      repeatable,
      streamMs: stream_timeout_ms,
    };
    const body = JSON.stringify(request.body);
    return this.policy.execute(call, async (attempt) => {
      const wire = this.request(method, path, body, attempt);
      Object.assign(wire.headers, request.headers);
      return this.carry(attempt, async (transport) => {
        const answer = await this.followed(transport, wire, attempt);
        attempt.status = answer.status;
        if (answer.status !== 200) throw await this.refusal(answer);
        const body = decoded(answer.body, answer.headers['content-encoding']);
        const parts = (request.decode?.(body) ?? body) as AsyncIterable<T>;
        const explain = (error: unknown) => this.explainPart(error);
        const iterator = parts[Symbol.asyncIterator]();
        try {
          return await new StreamedAnswer(iterator, answer.body, attempt, idle_timeout_ms, explain).begin();
        } catch (error) {
          answer.body.destroy();
          throw explain(error);
        }
      });
    });
  }

  status(): ClientStatus {
    return statusOf(this);
  }

  timeline(): ClientTimeline {
    return timelineOf(this);
  }

  /** Of a service with several endpoints. */
  get endpoints(): readonly EndpointState[] {
    return this.transport instanceof BalancedTransport ? this.transport.states : [];
  }

  report(): ClientReport {
    return reportOf(this, this.settings);
  }

  /** The breaker's last decisions, newest first. */
  decisions(): Decision[] {
    return this.history.decisions();
  }

  /** Rejects every call until the returned function is called; then the state from before comes back. */
  isolate(by: string): () => void {
    const ends = [this.breaker.isolate(by), ...this.copies.map((copy) => copy.isolate(by))];
    return () => ends.forEach((end) => end());
  }

  /** Ends every isolation. @returns whether there was one */
  release(by: string): boolean {
    for (const copy of this.copies) copy.release(by);
    return this.breaker.release(by);
  }

  /** Whether an operator has isolated the service. */
  get isIsolated(): boolean {
    return this.breaker.isolatedBy.length > 0;
  }

  /** How long one attempt may take, in milliseconds. */
  get timeoutMs(): number {
    return this.settings.timeout_ms;
  }

  /** Advice of another process, see {@link CircuitBreaker.advise}. */
  advise(advice: Advice): void {
    this.breaker.advise(advice);
  }

  /** Applies changed settings. Calls under way keep the old ones; the breaker keeps its state. {@link copies} keep their addresses. */
  reconfigure(settings: DownstreamSettings): void {
    for (const copy of this.copies) copy.reconfigure({ ...settings, url: copy.url });
    const { url, timeout_ms } = this.settings;
    this.settings = settings;
    this.policy.reconfigure(settings);
    this.log.drill(settings.fault_drill);
    if (settings.url === url && settings.timeout_ms === timeout_ms) return;
    const before = this.transport;
    this.transport = this.connect();
    void before?.close();
  }

  /** Nest calls this after the process has answered its last request. */
  async onApplicationShutdown(): Promise<void> {
    await Promise.all([this.transport?.end(LAST_CALLS_MS), ...this.copies.map((copy) => copy.onApplicationShutdown())]);
  }

  private connect(): Transport | null {
    const { healthPath = '/', clock = systemClock } = this.parts;
    const healthOf = async (transport: Transport) => isHealthy(await this.health(transport, healthPath, clock));
    return this.parts.connect(this.settings, healthOf, this.log);
  }

  /** Bypasses the policies, because they call it. A fault drill counts as an outage. */
  private async isHealthy(path: string, clock: Clock): Promise<boolean> {
    if (this.transport === null || this.settings.fault_drill.enabled) return false;
    const answer = await this.health(this.transport, path, clock);
    this.instance = answer.headers[HEADER.instance] ?? this.instance;
    return isHealthy(answer);
  }

  private async health(transport: Transport, path: string, clock: Clock): Promise<WireAnswer> {
    const signal = new LightSignal(undefined);
    const stop = clock.after(HEALTH_MS, () => signal.abort(new Error('the health route took too long')));
    try {
      return await transport.send({ method: 'GET', path, headers: {}, body: undefined }, signal);
    } finally {
      stop();
    }
  }

  private get breaker(): CircuitBreaker {
    return this.policy.breaker.breaker;
  }

  /** Reads the answer to its end, so that its connection is free for the next attempt. */
  private async refusal({ status, headers, body }: WireAnswer<ByteStream>): Promise<DownstreamError> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of decoded(body, headers['content-encoding'])) chunks.push(chunk);
    return refusalOf(this.service, { status, headers, body: Buffer.concat(chunks) }, `status ${status}`);
  }

  /** Follows redirects to the same origin, as a request of the same method: an address with or without a slash. */
  private async followed(transport: Transport, wire: WireRequest, attempt: Attempt): Promise<WireAnswer<ByteStream>> {
    for (let left = MAX_REDIRECTS; ; left--) {
      const answer = await transport.open(wire, attempt);
      const { location } = answer.headers;
      if (!REDIRECTS.has(answer.status) || location === undefined || left === 0) return answer;
      const base = new URL(wire.absolute === true ? wire.path : this.pathOf(wire.path), this.settings.url ?? undefined);
      const target = new URL(location, base);
      if (target.origin !== base.origin) return answer;
      answer.body.destroy();
      wire = { ...wire, path: target.pathname + target.search, absolute: true };
    }
  }

  /** The whole path of a request: what the configured address has, and what the call adds. */
  private pathOf(path: string): string {
    return new URL(this.settings.url ?? '').pathname.replace(/(?<!\/)\/+$/, '') + path;
  }

  private explainPart(error: unknown): unknown {
    const known = wireError(this.service, error);
    if (known instanceof DownstreamError) return known;
    const { message, status, code } = error as { message?: unknown; status?: unknown; code?: unknown };
    const detail = typeof message === 'string' ? message : String(error);
    // An error of status 4xx inside a stream concerns the request and is no failure of the service.
    const refused = typeof status === 'number' && status >= 400 && status < 500;
    return new DownstreamError({
      service: this.service,
      reason: !refused ? 'protocol' : status === 429 ? 'saturated' : 'rejected',
      message: detail,
      cause: error,
      ...(refused ? { status } : {}),
      ...(typeof code === 'string' ? { problem: { code, detail } } : {}),
    });
  }

  private request(method: string, path: string, body: string | undefined, attempt: Attempt): WireRequest {
    const headers = this.parts.headers(attempt);
    if (body !== undefined) headers['content-type'] = 'application/json';
    return { method, path, headers, body };
  }

  private async carry<T>(attempt: Attempt, exchange: (transport: Transport) => Promise<T>): Promise<T> {
    if (this.transport === null) throw new Error(`${this.service}: called without an address; see "configured"`);
    try {
      const { fault_drill } = this.settings;
      if (fault_drill.enabled) await this.drill.inject(fault_drill, attempt);
      return await exchange(this.transport);
    } catch (error) {
      throw wireError(this.service, error);
    }
  }
}

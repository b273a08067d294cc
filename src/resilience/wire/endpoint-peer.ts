import { HEADER } from '../../contract/endpoint.js';
import type { Clock } from '../policy/clock.js';
import { DownstreamError } from '../policy/downstream-error.js';
import { LightSignal } from '../policy/light-signal.js';
import type { ByteStream } from './byte-stream.js';
import { endpointName, type EndpointAddress } from './endpoints.js';
import type { Transport, WireAnswer, WireRequest } from './http-transport.js';

export interface PeerSettings {
  /** Failures in a row after which an endpoint gets no more requests. */
  eject_after: number;
  /** How long until its health route is asked whether it works again. */
  ejected_ms: number;
}

/** How long an endpoint may leave a request without an answer before its health route is asked. */
const SUSPECT_MS = 1000;

/** The end of a request that is sent to another endpoint instead. */
export class MovedError extends Error {}

export interface PeerParts {
  address: EndpointAddress;
  transport: Transport;
  settings: PeerSettings;
  clock: Clock;
  /** Whether the health route of the endpoint answers. */
  isHealthy: (transport: Transport) => Promise<boolean>;
  /** False: too few endpoints would be left. */
  mayEject: () => boolean;
  onChange: (peer: EndpointPeer, why: string) => void;
}

/** One server of a service, with its health as its requests show it. */
export class EndpointPeer {
  ejected = false;
  failures = 0;
  /** The instance id that the server sent last. */
  instance: string | undefined;
  private readonly pending = new Set<{ signal: LightSignal; movable: boolean }>();
  private checking = false;
  private stop: (() => void) | undefined;

  constructor(private readonly parts: PeerParts) {}

  get name(): string {
    return endpointName(this.parts.address);
  }

  get url(): string {
    return this.parts.address.url;
  }

  /** Requests without an answer; a streamed one counts until its status. */
  get active(): number {
    return this.pending.size;
  }

  /** @throws MovedError where the endpoint turned out to be dead meanwhile */
  async send(request: WireRequest, signal: AbortSignal): Promise<WireAnswer> {
    return this.carry(request, signal, (own) => this.parts.transport.send(request, own));
  }

  async open(request: WireRequest, signal: AbortSignal): Promise<WireAnswer<ByteStream>> {
    // The body outlives the call, so the caller's own signal must reach it.
    return this.carry(request, signal, () => this.parts.transport.open(request, signal));
  }

  /** Sends nothing more to it until its health route answers. */
  eject(why: string): void {
    if (this.ejected || !this.parts.mayEject()) return;
    this.ejected = true;
    this.parts.onChange(this, why);
    for (const { signal, movable } of this.pending) if (movable) signal.abort(new MovedError(why));
    this.comeBackLater();
  }

  close(): Promise<void> {
    this.stop?.();
    return this.parts.transport.close();
  }

  end(withinMs: number): Promise<void> {
    this.stop?.();
    return this.parts.transport.end(withinMs);
  }

  private async carry<B>(
    request: WireRequest,
    signal: AbortSignal,
    exchange: (signal: AbortSignal) => Promise<WireAnswer<B>>,
  ): Promise<WireAnswer<B>> {
    const own = new LightSignal(undefined);
    const entry = { signal: own, movable: request.repeatable === true };
    const follow = () => own.abort(signal.reason);
    signal.addEventListener('abort', follow);
    this.pending.add(entry);
    // The only endpoint of a service stays in use, whatever its health.
    const unwatch = this.parts.mayEject() ? this.parts.clock.after(SUSPECT_MS, () => void this.check()) : undefined;
    try {
      const answer = await exchange(own);
      this.instance = answer.headers[HEADER.instance] ?? this.instance;
      this.count(answer.status >= 500 && answer.status !== 507 ? `status ${answer.status}` : undefined);
      return answer;
    } catch (caught) {
      // axios replaces the reason of an abort by an error of its own.
      const error = own.aborted ? own.reason : caught;
      if (isFailure(error)) this.count((error as Error).message);
      throw error;
    } finally {
      unwatch?.();
      this.pending.delete(entry);
      signal.removeEventListener('abort', follow);
    }
  }

  private count(failure: string | undefined): void {
    this.failures = failure === undefined ? 0 : this.failures + 1;
    if (failure !== undefined && this.failures >= this.parts.settings.eject_after) this.eject(failure);
  }

  /** Tells a slow endpoint from a dead one. */
  private async check(): Promise<void> {
    if (this.checking || this.ejected) return;
    this.checking = true;
    const healthy = await this.parts.isHealthy(this.parts.transport).catch(() => false);
    this.checking = false;
    if (!healthy) this.eject('its health route gives no answer');
  }

  private comeBackLater(): void {
    this.stop = this.parts.clock.after(this.parts.settings.ejected_ms, () => void this.comeBack());
  }

  private async comeBack(): Promise<void> {
    if (!(await this.parts.isHealthy(this.parts.transport).catch(() => false))) return this.comeBackLater();
    this.ejected = false;
    this.failures = 0;
    this.parts.onChange(this, 'its health route answers');
  }
}

/** A disconnect of the caller and a short deadline say nothing about the endpoint. */
function isFailure(error: unknown): boolean {
  if (error instanceof MovedError) return false;
  return !(error instanceof DownstreamError) || error.reason === 'timeout';
}

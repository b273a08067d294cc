import { HEADER } from '../../contract/endpoint.js';
import type { EndpointChoice } from '../policy/call-context.js';
import type { Clock } from '../policy/clock.js';
import { LightSignal } from '../policy/light-signal.js';
import type { ByteStream } from './byte-stream.js';
import { EndpointPeer, MovedError, type PeerSettings } from './endpoint-peer.js';
import { type EndpointAddress, Endpoints, endpointName } from './endpoints.js';
import { Hedging } from './hedging.js';
import type { Transport, WireAnswer, WireRequest } from './http-transport.js';

export interface BalancingSettings extends PeerSettings {
  /** The most reads, as a share of all, that are sent to a second endpoint because the first is slow. */
  hedged_share: number;
  /** How often names are looked up again. */
  resolve_ms: number;
}

export interface BalancingParts {
  urls: readonly string[];
  settings: BalancingSettings;
  clock: Clock;
  connect: (address: EndpointAddress) => Transport;
  isHealthy: (transport: Transport) => Promise<boolean>;
  onChange: (peer: EndpointPeer, why: string) => void;
  random?: () => number;
}

/** The state of one endpoint, for operators. */
export interface EndpointState {
  url: string;
  ejected: boolean;
  failures: number;
  active: number;
}

/** Errors after which a request was certainly not sent. */
const NOT_SENT = new Set([
  ...['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOTFOUND', 'EAI_AGAIN', 'UND_ERR_CONNECT_TIMEOUT'],
  ...['UND_ERR_CLOSED', 'UND_ERR_DESTROYED'],
]);
/** Errors after which it is unknown whether a request was processed. */
const LOST = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET', 'ETIMEDOUT']);
/** The code of our own servers' refusal while they shut down: nothing of the request was processed. */
const DRAINING = 'draining';

/**
 * Sends the requests of a service to several endpoints: each to the less busy of two at random (Mitzenmacher, "The Power
 * of Two Choices", 2001). An endpoint that fails is left out until its health route answers; at least half of the endpoints
 * stay in. A request that was not processed, or may be repeated, goes to another endpoint within the same attempt. A
 * request with an {@link EndpointChoice} goes to the endpoints in the order of their ranks.
 */
export class BalancedTransport implements Transport {
  private peers: EndpointPeer[] = [];
  private readonly endpoints: Endpoints;
  private readonly hedging: Hedging;
  private readonly random: () => number;
  private closed = false;

  constructor(private readonly parts: BalancingParts) {
    const { urls, settings, clock, random = Math.random } = parts;
    this.random = random;
    this.hedging = new Hedging(settings.hedged_share);
    this.endpoints = new Endpoints(urls, settings.resolve_ms, clock, (addresses) => this.use(addresses));
    this.use(this.endpoints.current);
  }

  get states(): EndpointState[] {
    return this.peers.map(({ name, ejected, failures, active }) => ({ url: name, ejected, failures, active }));
  }

  async send(request: WireRequest, signal: AbortSignal): Promise<WireAnswer> {
    const tried = new Set<EndpointPeer>();
    const beganMs = this.parts.clock.now();
    const hedgeMs = request.safe === true && this.peers.length > 1 ? this.hedging.begin() : undefined;
    const answer =
      hedgeMs === undefined
        ? await this.move(request, signal, tried, (peer) => peer.send(request, signal))
        : await this.hedged(request, signal, tried, hedgeMs);
    if (request.safe === true) this.hedging.answered(this.parts.clock.now() - beganMs);
    return answer;
  }

  open(request: WireRequest, signal: AbortSignal): Promise<WireAnswer<ByteStream>> {
    return this.move(request, signal, new Set(), (peer) => peer.open(request, signal));
  }

  async close(): Promise<void> {
    this.closed = true;
    this.endpoints.close();
    await Promise.all(this.peers.map((peer) => peer.close()));
  }

  async end(withinMs: number): Promise<void> {
    this.closed = true;
    this.endpoints.close();
    await Promise.all(this.peers.map((peer) => peer.end(withinMs)));
  }

  /** Keeps the endpoints that are known already. */
  private use(addresses: readonly EndpointAddress[]): void {
    if (this.closed) return;
    const before = new Map(this.peers.map((peer) => [peer.name, peer]));
    this.peers = addresses.map((address) => before.get(endpointName(address)) ?? this.peer(address));
    for (const peer of before.values()) if (!this.peers.includes(peer)) void peer.close();
  }

  private peer(address: EndpointAddress): EndpointPeer {
    const { connect, settings, clock, isHealthy, onChange } = this.parts;
    return new EndpointPeer({
      ...{ address, transport: connect(address), settings, clock, isHealthy, onChange },
      mayEject: () => this.peers.filter(({ ejected }) => ejected).length < Math.floor(this.peers.length / 2),
    });
  }

  private async move<B>(
    request: WireRequest,
    signal: AbortSignal,
    tried: Set<EndpointPeer>,
    exchange: (peer: EndpointPeer) => Promise<WireAnswer<B>>,
  ): Promise<WireAnswer<B>> {
    /** Returned where no other endpoint answers. */
    let unaccepted: WireAnswer<B> | undefined;
    for (;;) {
      const peer = this.pick(tried, request.endpoints);
      tried.add(peer);
      const isLast = tried.size >= this.peers.length;
      try {
        const answer = this.signed(await exchange(peer), peer);
        const isAccepted = request.endpoints?.accepts(peer.url, peer.instance) ?? true;
        if (isDraining(answer)) peer.eject('it is shutting down');
        else if (isAccepted) return answer;
        else unaccepted ??= answer;
        if (isLast) return unaccepted ?? answer;
      } catch (error) {
        if (!isLast && !signal.aborted && isMovable(error, request)) continue;
        if (unaccepted !== undefined && !signal.aborted) return unaccepted;
        throw error;
      }
    }
  }

  /** The first answer counts; the other request is aborted. */
  private async hedged(
    request: WireRequest,
    signal: AbortSignal,
    tried: Set<EndpointPeer>,
    afterMs: number,
  ): Promise<WireAnswer> {
    const runs: LightSignal[] = [];
    const run = () => {
      const own = new LightSignal(undefined);
      runs.push(own);
      return this.move(request, own, tried, (peer) => peer.send(request, own));
    };
    const follow = () => runs.forEach((own) => own.abort(signal.reason));
    signal.addEventListener('abort', follow);
    let hedge: Promise<WireAnswer> | undefined;
    let stop = () => {};
    const hedging = new Promise<WireAnswer>((resolve) => {
      stop = this.parts.clock.after(afterMs, () => {
        if (!this.mayHedge(tried, request.endpoints) || !this.hedging.take()) return;
        hedge = run();
        hedge.then(resolve, () => undefined);
      });
    });
    try {
      const first = run().catch((error: unknown) => {
        if (hedge === undefined) throw error;
        return hedge;
      });
      return await Promise.race([first, hedging]);
    } finally {
      stop();
      signal.removeEventListener('abort', follow);
      for (const own of runs) own.abort(new MovedError('another endpoint has answered'));
    }
  }

  /** The answer with an instance id of all endpoints together, so that it does not change from answer to answer. */
  private signed<B>(answer: WireAnswer<B>, { url: endpoint }: EndpointPeer): WireAnswer<B> {
    if (this.peers.length < 2) return answer;
    if (answer.headers[HEADER.instance] === undefined) return { ...answer, endpoint };
    const instance = this.peers.map((peer) => peer.instance ?? '').join('+');
    return { ...answer, endpoint, headers: { ...answer.headers, [HEADER.instance]: instance } };
  }

  /** Whether there is another endpoint, no worse than those that were called. */
  private mayHedge(tried: ReadonlySet<EndpointPeer>, choice: EndpointChoice | undefined): boolean {
    if (tried.size >= this.peers.length) return false;
    if (choice === undefined) return true;
    return choice.rank(this.pick(tried, choice).url) <= Math.max(...[...tried].map(({ url }) => choice.rank(url)));
  }

  private pick(tried: ReadonlySet<EndpointPeer>, choice: EndpointChoice | undefined): EndpointPeer {
    const others = this.peers.filter((peer) => !tried.has(peer));
    const working = others.filter(({ ejected }) => !ejected);
    const pool = best(working.length > 0 ? working : others.length > 0 ? others : this.peers, choice);
    const one = pool[Math.floor(this.random() * pool.length)] as EndpointPeer;
    const other = pool[Math.floor(this.random() * pool.length)] as EndpointPeer;
    return other.active < one.active ? other : one;
  }
}

function best(peers: readonly EndpointPeer[], choice: EndpointChoice | undefined): readonly EndpointPeer[] {
  if (choice === undefined) return peers;
  const lowest = Math.min(...peers.map(({ url }) => choice.rank(url)));
  return peers.filter(({ url }) => choice.rank(url) === lowest);
}

function isMovable(error: unknown, { repeatable = false }: WireRequest): boolean {
  if (error instanceof MovedError) return true;
  const code = String((error as { code?: unknown }).code);
  return NOT_SENT.has(code) || (repeatable && LOST.has(code));
}

function isDraining({ status, body }: WireAnswer<unknown>): boolean {
  if (status !== 503 || !Buffer.isBuffer(body)) return false;
  try {
    return (JSON.parse(body.toString()) as { code?: unknown }).code === DRAINING;
  } catch {
    return false;
  }
}

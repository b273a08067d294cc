import type { AxiosInstance, AxiosResponse } from 'axios';
import type { Dispatcher } from 'undici';
import { isIPv6 } from 'node:net';
import type { EndpointChoice } from '../policy/call-context.js';
import type { ByteStream } from './byte-stream.js';
import type { EndpointAddress } from './endpoints.js';
import { dispatcherTo, type Route } from './outside.js';
import { undiciAdapter } from './undici-adapter.js';

export interface WireRequest {
  method: string;
  /** Appended to the path of the address, unless `absolute`. */
  path: string;
  absolute?: boolean;
  headers: Record<string, string>;
  body: string | undefined;
  /** Whether the request may be sent a second time. */
  repeatable?: boolean;
  /** Whether it changes nothing on the server. */
  safe?: boolean;
  /** Which of several endpoints it prefers. */
  endpoints?: EndpointChoice | undefined;
}

export interface WireAnswer<Body = Buffer> {
  status: number;
  headers: Readonly<Record<string, string | undefined>>;
  body: Body;
  /** The URL of the endpoint that answered, of a service with several. */
  endpoint?: string;
}

/** Sends requests to one service. The policy's attempt is the signal that aborts them. */
export interface Transport {
  send(request: WireRequest, signal: AbortSignal): Promise<WireAnswer>;
  open(request: WireRequest, signal: AbortSignal): Promise<WireAnswer<ByteStream>>;
  /** Accepts no more requests, and waits for those under way. */
  close(): Promise<void>;
  /** The same, but aborts requests that take longer. */
  end(withinMs: number): Promise<void>;
}

/** axios over the connections to one origin. It has no timeouts: the policies have them. */
export class HttpTransport implements Transport {
  private readonly dispatcher: Dispatcher;
  private readonly origin: string;
  /** The `Host` of requests to an IP address. */
  private readonly host: string | undefined;
  private readonly prefix: string;
  private closing: Promise<void> | undefined;

  constructor(
    private readonly axios: AxiosInstance,
    /** The path of the URL is put before the path of every request. */
    { url, ip }: EndpointAddress,
    connectTimeoutMs: number,
    route?: Route,
  ) {
    dropDefaults(axios);
    const { origin, pathname, hostname, host } = new URL(url);
    this.origin = ip === undefined ? origin : origin.replace(hostname, isIPv6(ip) ? `[${ip}]` : ip);
    this.host = ip === undefined ? undefined : host;
    this.prefix = pathname.replace(/(?<!\/)\/+$/, '');
    this.dispatcher = dispatcherTo(this.origin, connectTimeoutMs, route, ip === undefined ? undefined : hostname);
  }

  async send(request: WireRequest, signal: AbortSignal): Promise<WireAnswer> {
    return answerOf<Buffer>(await this.request(request, signal, 'arraybuffer'));
  }

  async open(request: WireRequest, signal: AbortSignal): Promise<WireAnswer<ByteStream>> {
    return answerOf<ByteStream>(await this.request(request, signal, 'stream'));
  }

  close(): Promise<void> {
    return (this.closing ??= this.dispatcher.close());
  }

  async end(withinMs: number): Promise<void> {
    const late = setTimeout(() => void this.dispatcher.destroy(), withinMs);
    await this.close().finally(() => clearTimeout(late));
  }

  private headersOf({ headers }: WireRequest): Record<string, string> {
    return this.host === undefined ? headers : { ...headers, host: this.host };
  }

  private request(request: WireRequest, signal: AbortSignal, responseType: 'arraybuffer' | 'stream') {
    return this.axios.request<unknown>({
      adapter: undiciAdapter(this.dispatcher, this.origin, this.headersOf(request)),
      method: request.method,
      url: request.absolute === true ? request.path : this.prefix + request.path,
      data: request.body,
      responseType,
      signal,
    });
  }
}

/**
 * axios merges its defaults into every request, which is half of its cost. The defaults concern transforming,
 * redirecting and proxies, which are not used here.
 */
function dropDefaults({ defaults }: AxiosInstance): void {
  for (const key of Object.keys(defaults)) delete defaults[key as keyof typeof defaults];
  Object.assign(defaults, { headers: {} });
}

function answerOf<Body>({ status, headers, data }: AxiosResponse): WireAnswer<Body> {
  return { status, headers: headers as Record<string, string>, body: data as Body };
}

import type { AxiosInstance, AxiosResponse } from 'axios';
import type { Dispatcher } from 'undici';
import type { ByteStream } from './byte-stream.js';
import { dispatcherTo, type Route } from './outside.js';
import { undiciAdapter } from './undici-adapter.js';

export interface WireRequest {
  method: string;
  /** Appended to the path of the address, unless `absolute`. */
  path: string;
  absolute?: boolean;
  headers: Record<string, string>;
  body: string | undefined;
}

export interface WireAnswer<Body = Buffer> {
  status: number;
  headers: Readonly<Record<string, string | undefined>>;
  body: Body;
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
  private readonly prefix: string;
  private closing: Promise<void> | undefined;

  constructor(
    private readonly axios: AxiosInstance,
    /** Its path is put before the path of every request. */
    url: string,
    connectTimeoutMs: number,
    route?: Route,
  ) {
    dropDefaults(axios);
    const { origin, pathname } = new URL(url);
    this.origin = origin;
    this.prefix = pathname.replace(/(?<!\/)\/+$/, '');
    this.dispatcher = dispatcherTo(origin, connectTimeoutMs, route);
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

  private request(request: WireRequest, signal: AbortSignal, responseType: 'arraybuffer' | 'stream') {
    return this.axios.request<unknown>({
      adapter: undiciAdapter(this.dispatcher, this.origin, request.headers),
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

import { type AxiosAdapter, AxiosHeaders, type InternalAxiosRequestConfig } from 'axios';
import type { Dispatcher } from 'undici';
import { ByteStream } from './byte-stream.js';

/**
 * Sends axios' requests through an undici dispatcher with kept-alive connections. The answer's body is a Buffer, or a
 * {@link ByteStream} with `responseType: 'stream'`. Every status resolves; only errors of the connection reject. The
 * headers bypass axios, which would copy and check each of them three times.
 */
export function undiciAdapter(dispatcher: Dispatcher, origin: string, headers: Record<string, string>): AxiosAdapter {
  return (config) =>
    new Promise((resolve, reject) => {
      const signal = config.signal as AbortSignal | undefined;
      const exchange = new Exchange(config, resolve, reject);
      if (signal !== undefined) signal.onabort = () => exchange.abort(signal.reason as Error);
      dispatcher.dispatch(
        {
          origin,
          method: (config.method ?? 'get').toUpperCase(),
          path: config.url ?? '/',
          headers,
          body: config.data as string | undefined,
        },
        exchange,
      );
    });
}

type Resolve = Parameters<ConstructorParameters<typeof Promise<Awaited<ReturnType<AxiosAdapter>>>>[0]>[0];

class Exchange implements Dispatcher.DispatchHandler {
  private controller: Dispatcher.DispatchController | undefined;
  private aborted: Error | undefined;
  private status = 0;
  private headers = new AxiosHeaders();
  private chunks: Buffer[] = [];
  private stream: ByteStream | undefined;

  constructor(
    private readonly config: InternalAxiosRequestConfig,
    private readonly resolve: Resolve,
    private readonly reject: (error: unknown) => void,
  ) {}

  /** Aborts the request, or keeps it from being sent. */
  abort(reason: Error): void {
    this.aborted = reason;
    this.controller?.abort(reason);
    this.stream?.fail(reason);
    this.reject(reason);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.controller = controller;
    if (this.aborted !== undefined) controller.abort(this.aborted);
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    if (status < 200) return;
    this.status = status;
    // Their names are in lower case already: axios has nothing to normalize.
    Object.assign(this.headers, headers);
    if (this.config.responseType !== 'stream') return;
    this.stream = new ByteStream(controller);
    this.answer(this.stream);
  }

  onResponseData(_: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.stream === undefined) this.chunks.push(chunk);
    else this.stream.push(chunk);
  }

  onResponseEnd(): void {
    if (this.stream !== undefined) this.stream.end();
    else this.answer(this.chunks.length === 1 ? this.chunks[0] : Buffer.concat(this.chunks));
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error): void {
    this.stream?.fail(error);
    this.reject(error);
  }

  private answer(data: unknown): void {
    this.resolve({ data, status: this.status, statusText: '', headers: this.headers, config: this.config });
  }
}

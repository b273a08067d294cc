import { once } from 'node:events';
import type { FastifyReply } from 'fastify';
import { countsNoMore } from './limits/load-shedding.js';

/** One answer of server-sent events: from its opening on, with a comment now and then, to its end. */
export class EventStream {
  private readonly raw: FastifyReply['raw'];
  private readonly heartbeat: NodeJS.Timeout;

  /** Sends the head; the reply is this stream's from here on. */
  constructor(reply: FastifyReply, heartbeatMs: number, headers: Record<string, string> = {}) {
    reply.hijack();
    this.raw = reply.raw;
    this.raw.writeHead(200, {
      ...(reply.getHeaders() as Record<string, string>),
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
      ...headers,
    });
    this.raw.flushHeaders();
    countsNoMore(reply);
    this.heartbeat = setInterval(() => this.raw.write(': heartbeat\n\n'), heartbeatMs);
  }

  /**
   * Resolves when there is room for the next event: who awaits it keeps no more in memory than a slow reader takes.
   * @throws the signal's reason when the reader goes away meanwhile
   */
  async send(
    data: unknown,
    { id, event, signal }: { id?: number; event?: string; signal?: AbortSignal } = {},
  ): Promise<void> {
    const head = `${id === undefined ? '' : `id: ${id}\n`}${event === undefined ? '' : `event: ${event}\n`}`;
    const text = typeof data === 'string' ? data : JSON.stringify(data);
    if (!this.raw.write(`${head}data: ${text}\n\n`)) await once(this.raw, 'drain', { signal });
  }

  end(): void {
    clearInterval(this.heartbeat);
    this.raw.end();
  }
}

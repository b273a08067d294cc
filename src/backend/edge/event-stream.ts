import type { FastifyReply } from 'fastify';
import type { Config } from '../../config/config.schema.js';
import { countsNoMore } from './limits/load-shedding.js';

/** The limit of unsent events, in bytes, for a sender that does not wait for the reader. */
const MAX_WAITING_BYTES = 4 * 1024 * 1024;

export interface EventStreamTimes {
  /** How often a comment is sent while no event waits. */
  heartbeatMs: number;
  /** The longest time that events wait without the reader receiving any. */
  readerMs: number;
}

export function eventStreamTimes({ chat, patience }: Config): EventStreamTimes {
  return { heartbeatMs: chat.heartbeat_ms, readerMs: patience.reader_ms };
}

/**
 * The reader received nothing for too long, or more events are unsent than the limit allows. Its connection is closed.
 */
export class StalledReader extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = 'StalledReader';
  }
}

/**
 * One response of server-sent events with heartbeats. Unsent events of a slow reader are bounded in bytes and in time.
 */
export class EventStream {
  private readonly raw: FastifyReply['raw'];
  private readonly heartbeat: NodeJS.Timeout;
  /** Pending while events are unsent. All senders share one listener. */
  private draining: Promise<void> | undefined;

  /** Sends the head. Fastify does not control the reply after this. */
  constructor(
    reply: FastifyReply,
    private readonly times: EventStreamTimes,
    headers: Record<string, string> = {},
  ) {
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
    this.heartbeat = setInterval(() => {
      if (!this.raw.writableNeedDrain) this.raw.write(': heartbeat\n\n');
    }, times.heartbeatMs).unref();
  }

  /**
   * Resolves when the reader has received enough for the next event. Nothing is sent after a disconnect.
   * @throws StalledReader
   */
  async send(data: unknown, { id, event }: { id?: number; event?: string } = {}): Promise<void> {
    if (this.raw.destroyed || this.raw.writableEnded) return;
    const head = `${id === undefined ? '' : `id: ${id}\n`}${event === undefined ? '' : `event: ${event}\n`}`;
    const text = typeof data === 'string' ? data : JSON.stringify(data);
    const frame = `${head}data: ${text}\n\n`;
    if (this.raw.writableNeedDrain && this.raw.writableLength + frame.length > MAX_WAITING_BYTES) {
      this.raw.destroy();
      throw new StalledReader(`more than ${MAX_WAITING_BYTES} bytes of events waited for the reader`);
    }
    if (!this.raw.write(frame)) await (this.draining ??= this.drained());
  }

  end(): void {
    clearInterval(this.heartbeat);
    this.raw.end();
  }

  /** Resolves when the reader has received everything, or has disconnected. @throws StalledReader */
  private drained(): Promise<void> {
    return new Promise((resolve, reject) => {
      const finish = (settle: () => void) => {
        clearTimeout(timer);
        this.raw.off('drain', taken).off('close', taken);
        this.draining = undefined;
        settle();
      };
      const taken = () => finish(resolve);
      const timer = setTimeout(() => {
        finish(() => reject(new StalledReader(`the reader took nothing for ${this.times.readerMs} ms`)));
        this.raw.destroy();
      }, this.times.readerMs).unref();
      this.raw.once('drain', taken).once('close', taken);
    });
  }
}

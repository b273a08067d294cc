import { createServer, type IncomingMessage, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyReply } from 'fastify';
import { EventStream, StalledReader } from './event-stream.js';

const PART = 'x'.repeat(64 * 1024);

describe('an event stream to a reader that does not read', () => {
  let server: Server;
  let streams: EventStream[];
  let raw: FastifyReply['raw'];

  async function open(readerMs: number): Promise<{ events: EventStream; response: IncomingMessage }> {
    server.once('request', (_, response) => {
      raw = response;
      const reply = { raw: response, hijack: () => undefined, getHeaders: () => ({}) };
      streams.push(new EventStream(reply as unknown as FastifyReply, { heartbeatMs: 5, readerMs }));
    });
    const { port } = server.address() as AddressInfo;
    const response = await new Promise<IncomingMessage>((resolve) => request({ port }, resolve).end());
    response.on('error', () => undefined);
    response.pause();
    return { events: streams.at(-1) as EventStream, response };
  }

  beforeEach(async () => {
    streams = [];
    server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterEach(() => {
    for (const events of streams) events.end();
    server.closeAllConnections();
    server.close();
  });

  it('adds only one listener, however many events wait', async () => {
    const { events } = await open(10_000);
    for (let i = 0; i < 40; i++) void events.send(PART).catch(() => undefined);
    expect(raw.writableNeedDrain).toBe(true);
    expect(raw.listenerCount('drain')).toBe(1);
  });

  it('is closed when more bytes wait than the limit allows', async () => {
    const { events } = await open(10_000);
    const sent = Array.from({ length: 200 }, () => events.send(PART));
    const results = await Promise.allSettled(sent);
    const refused = results.filter((result) => result.status === 'rejected');
    expect(refused[0]?.reason).toBeInstanceOf(StalledReader);
    expect(raw.destroyed).toBe(true);
    expect(raw.writableLength).toBeLessThan(5 * 1024 * 1024);
  });

  it('is closed when the reader receives nothing for too long', async () => {
    const { events } = await open(50);
    const stalled = (async () => {
      for (;;) await events.send(PART);
    })();
    await expect(stalled).rejects.toThrow('the reader took nothing for 50 ms');
    expect(raw.destroyed).toBe(true);
  });

  it('continues when the reader reads again, and adds no heartbeats meanwhile', async () => {
    const { events, response } = await open(10_000);
    let sent = 0;
    const sending = (async () => {
      while (sent < 100) {
        await events.send(PART);
        sent++;
      }
    })();
    await sleep(50);
    const waiting = raw.writableLength;
    await sleep(50);
    expect(raw.writableLength).toBe(waiting);
    let bytes = 0;
    response.on('data', (chunk: Buffer) => (bytes += chunk.length)).resume();
    await sending;
    events.end();
    await new Promise((resolve) => response.once('end', resolve));
    expect(bytes).toBeGreaterThan(100 * PART.length);
  });
});

import { once } from 'node:events';
import { createServer, connect, type AddressInfo, type Server, type Socket } from 'node:net';

export const FAULTS = [
  'refused',
  'reset before the answer',
  'reset in mid-body',
  'hang before headers',
  'hang in mid-body',
  '500',
  '503 with Retry-After',
  'slow',
  'garbage JSON',
  'JSON of the wrong shape',
  'cut-off stream',
] as const;
export type Fault = (typeof FAULTS)[number];

/** What is done after the first half of an answer. */
const BREAKS: Partial<Record<Fault, (socket: Socket) => void>> = {
  'reset in mid-body': (socket) => socket.resetAndDestroy(),
  'hang in mid-body': () => undefined,
  'cut-off stream': (socket) => socket.end(),
};

/** A TCP proxy in front of one server that forwards everything or makes one kind of fault. */
export class FaultProxy {
  /** The current fault; undefined: none. */
  private fault: Fault | undefined;
  private readonly sockets = new Set<Socket>();
  private port = 0;
  private constructor(
    private readonly target: () => number,
    private readonly server: Server,
    private readonly slowMs: number,
    private readonly streams: boolean,
  ) {
    server.on('connection', (client) => this.serve(client));
  }

  /**
   * @param target the port of the server behind it
   * @param streams whether the server's answers are event streams
   */
  static async start(target: () => number, slowMs: number, streams = false): Promise<FaultProxy> {
    const proxy = new FaultProxy(target, createServer(), slowMs, streams);
    await proxy.listen();
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Begins a fault, also for requests over existing connections. */
  async suffer(fault: Fault): Promise<void> {
    this.fault = fault;
    if (fault === 'refused') await this.close();
  }

  /** Ends the fault and closes the connections that hang. */
  async heal(): Promise<void> {
    const before = this.fault;
    this.fault = undefined;
    if (before === undefined || before === 'slow') return;
    for (const socket of this.sockets) socket.destroy();
    if (!this.server.listening) await this.listen();
  }

  async stop(): Promise<void> {
    if (this.server.listening) await this.close();
  }

  private async listen(): Promise<void> {
    this.server.listen(this.port, '127.0.0.1');
    await once(this.server, 'listening');
    this.port = (this.server.address() as AddressInfo).port;
  }

  private async close(): Promise<void> {
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
    await once(this.server, 'close');
  }

  private serve(client: Socket): void {
    const upstream = connect(this.target(), '127.0.0.1');
    let answer = Buffer.alloc(0);
    let broken = false;
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      this.sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        this.sockets.delete(socket);
        if (!broken) other.destroy();
      });
    }
    client.on('data', (bytes) => {
      answer = Buffer.alloc(0);
      const { fault } = this;
      if (fault === 'hang before headers') return;
      const reply = fault === undefined ? undefined : this.reply(fault);
      if (reply === undefined) upstream.write(bytes);
      else client.end(reply);
    });
    upstream.on('data', (bytes) => {
      const { fault } = this;
      if (broken) return;
      if (fault === 'reset before the answer') return void client.resetAndDestroy();
      const breakOff = fault === undefined ? undefined : BREAKS[fault];
      if (breakOff !== undefined) {
        const sent = answer.length;
        answer = Buffer.concat([answer, bytes]);
        const half = this.half(answer);
        if (half === undefined || half > answer.length) return void client.write(bytes);
        broken = true;
        // Written before the reset, which would otherwise overtake it.
        client.write(answer.subarray(sent, half), () => setTimeout(() => breakOff(client), 5));
      } else if (fault === 'slow') {
        setTimeout(() => client.writable && client.write(bytes), this.slowMs);
      } else client.write(bytes);
    });
  }

  /** Where an answer is cut: in the middle of its body, or after the second event of a stream. */
  private half(answer: Buffer): number | undefined {
    const text = answer.toString('latin1');
    const body = text.indexOf('\r\n\r\n') + 4;
    if (body < 4) return undefined;
    const length = /content-length: (\d+)/i.exec(text.slice(0, body))?.[1];
    if (length !== undefined) return body + Math.floor(Number(length) / 2);
    const second = text.indexOf('\n\n', text.indexOf('\n\n', body) + 2);
    return second < 0 ? undefined : second + 2;
  }

  /** The answer of faults that need no server. */
  private reply(fault: Fault): string | undefined {
    switch (fault) {
      case '500':
        return http(500, '{"code":"internal_error","detail":"made by the fault proxy"}');
      case '503 with Retry-After':
        return http(503, '{"code":"away","detail":"made by the fault proxy"}', 'retry-after: 1\r\n');
      case 'garbage JSON':
        return http(200, this.body('{"choices": [{"delta": {"con'));
      case 'JSON of the wrong shape':
        return http(200, this.body('{"choices": "none", "surprise": true}'));
      default:
        return undefined;
    }
  }

  private body(json: string): string {
    return this.streams ? `data: ${json}\n\n` : json;
  }
}

function http(status: number, body: string, headers = ''): string {
  return `HTTP/1.1 ${status} Fault\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n${headers}connection: close\r\n\r\n${body}`;
}

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** A header that the backend sends with the stream of an answer. */
const ANSWER_HEADER = 'x-vercel-ai-ui-message-stream';

/** A TCP proxy whose connections a test can cut, at any byte of an answer. */
export class CuttingProxy {
  /** While true, every new connection is reset. */
  isAway = false;
  /** How many bytes of answers still pass to the client before every connection is cut. */
  private bytesLeft = Infinity;
  private readonly sockets = new Set<Socket>();
  /** Those that carry an answer. */
  private readonly withAnswer = new WeakSet<Socket>();
  private constructor(
    private readonly server: Server,
    target: number,
  ) {
    server.on('connection', (client) => {
      if (this.isAway) return client.resetAndDestroy();
      const behind = connect(target, '127.0.0.1');
      for (const socket of [client, behind]) {
        this.sockets.add(socket);
        socket.on('error', () => undefined);
        socket.on('close', () => {
          this.sockets.delete(socket);
          client.destroy();
          behind.destroy();
        });
      }
      client.pipe(behind);
      behind.on('data', (bytes) => this.pass(bytes, client));
      behind.on('end', () => client.end());
    });
  }

  static async start(target: number): Promise<CuttingProxy> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new CuttingProxy(server, target);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  cut(): void {
    for (const socket of [...this.sockets]) socket.resetAndDestroy();
  }

  /** Cuts all connections once so many bytes of answers, with their headers, have gone to the client. */
  cutAfter(bytes: number): void {
    this.bytesLeft = bytes;
  }

  /** Whether the cut of {@link cutAfter} is still to come. */
  get isArmed(): boolean {
    return this.bytesLeft !== Infinity;
  }

  async stop(): Promise<void> {
    this.server.close();
    this.cut();
    await once(this.server, 'close');
  }

  private pass(bytes: Buffer, client: Socket): void {
    if (bytes.includes(ANSWER_HEADER)) this.withAnswer.add(client);
    const counted = this.withAnswer.has(client) ? bytes.length : 0;
    if (counted <= this.bytesLeft) {
      this.bytesLeft -= counted;
      client.write(bytes);
      return;
    }
    const last = bytes.subarray(0, this.bytesLeft);
    this.bytesLeft = Infinity;
    // A reset would discard what was written and not sent yet.
    client.write(last, () => this.cut());
  }
}

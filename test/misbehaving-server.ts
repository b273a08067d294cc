import { createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';

/** The reaction of a server to one request; `head` is the raw request. */
export type Behaviour = (socket: Socket, head: string) => void;

export const answer = (status: number, body: string, headers: Record<string, string> = {}): Behaviour => {
  const lines = Object.entries({ 'content-length': String(Buffer.byteLength(body)), ...headers });
  return (socket) =>
    socket.write(
      `HTTP/1.1 ${status} X\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`,
    );
};
export const json = (value: unknown, status = 200): Behaviour => answer(status, JSON.stringify(value));
export const hang: Behaviour = () => undefined;
export const hangInBody: Behaviour = (socket) => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{"rem');
export const reset: Behaviour = (socket) => socket.resetAndDestroy();
export const resetInBody: Behaviour = (socket) => {
  hangInBody(socket, '');
  setTimeout(() => socket.resetAndDestroy(), 10);
};
export const garbage: Behaviour = (socket) => socket.end('this is not HTTP\r\n\r\n');

/** An HTTP server on raw sockets that can break the protocol. Each request uses the next behaviour; the last one is repeated. */
export class MisbehavingServer {
  readonly requests: string[] = [];
  readonly open = new Set<Socket>();
  /** The number of connections so far. */
  connections = 0;
  private behaviours: Behaviour[] = [];
  private readonly server: Server = createServer((socket) => this.serve(socket));

  async start(port = 0): Promise<void> {
    await new Promise<void>((resolve) => this.server.listen(port, '127.0.0.1', resolve));
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  will(...behaviours: Behaviour[]): void {
    this.behaviours = behaviours;
    this.requests.length = 0;
  }

  async stop(): Promise<void> {
    for (const socket of this.open) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private serve(socket: Socket): void {
    this.connections++;
    this.open.add(socket);
    socket.on('close', () => this.open.delete(socket));
    socket.on('error', () => undefined);
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      for (let end = requestEnd(text); end > 0; end = requestEnd(text)) {
        const head = Buffer.from(text.slice(0, end), 'latin1').toString();
        text = text.slice(end);
        this.requests.push(head);
        const [behaviour = hang] = this.behaviours.length > 1 ? this.behaviours.splice(0, 1) : this.behaviours;
        behaviour(socket, head);
      }
    });
  }
}

function requestEnd(text: string): number {
  const body = text.indexOf('\r\n\r\n') + 4;
  if (body < 4) return 0;
  const length = Number(/content-length: (\d+)/i.exec(text.slice(0, body))?.[1] ?? 0);
  return text.length >= body + length ? body + length : 0;
}

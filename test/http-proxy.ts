import { once } from 'node:events';
import { createServer, request, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';

/** A proxy that connects every name to one local port and records the requests. */
export class Proxy {
  readonly asked: string[] = [];
  private constructor(private readonly server: Server) {}

  static async start(port: () => number): Promise<Proxy> {
    const server = createServer((incoming, reply) => {
      proxy.asked.push(`${incoming.method} ${incoming.url}`);
      const { pathname } = new URL(incoming.url ?? '');
      const { method, headers } = incoming;
      const onward = request({ host: '127.0.0.1', port: port(), path: pathname, method, headers }, (answer) => {
        reply.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(reply);
      });
      incoming.pipe(onward);
    });
    server.on('connect', (incoming, socket) => {
      proxy.asked.push(`CONNECT ${incoming.url}`);
      const onward = connect(port(), '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
        onward.pipe(socket).pipe(onward);
      });
      for (const end of [socket, onward]) end.on('error', () => socket.destroy());
    });
    const proxy = new Proxy(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.server.closeAllConnections();
    this.server.close();
  }
}

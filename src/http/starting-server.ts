import { createServer, type Server } from 'node:http';

/** A start that takes longer is announced on the port. */
const AFTER_MS = 1000;

/**
 * Answers on the port of a process that is not started yet, because it waits for its database: it is alive and not ready. So
 * a supervisor does not restart it, and no balancer sends it requests.
 */
export class StartingServer {
  private server: Server | undefined;
  private readonly timer: NodeJS.Timeout;

  constructor(port: number, host: string) {
    this.timer = setTimeout(() => {
      this.server = createServer((request, response) => {
        if (request.url === '/health/live') {
          response.writeHead(200, { 'content-type': 'application/json' }).end('{"status":"ok"}');
          return;
        }
        response.writeHead(503, { 'content-type': 'application/problem+json', 'retry-after': '1' }).end(STARTING);
      });
      // The start itself reports a port that cannot be opened.
      this.server.on('error', () => undefined);
      this.server.listen(port, host);
    }, AFTER_MS);
  }

  /** Frees the port. */
  async close(): Promise<void> {
    clearTimeout(this.timer);
    const { server } = this;
    if (server?.listening !== true) return;
    server.closeAllConnections();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }
}

const STARTING = JSON.stringify({
  type: 'about:blank',
  title: 'Service Unavailable',
  status: 503,
  code: 'starting',
  detail: 'This process is starting.',
  retry_after: 1,
});

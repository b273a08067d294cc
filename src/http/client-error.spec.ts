import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { answerClientError } from './client-error.js';

describe('a connection that is too slow', () => {
  let server: Server;
  beforeAll(async () => {
    server = createServer({ headersTimeout: 100, requestTimeout: 200, connectionsCheckingInterval: 20 });
    server.on('clientError', answerClientError);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  async function heardAfter(bytes: string): Promise<string> {
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    let heard = '';
    socket.on('data', (chunk) => (heard += chunk.toString()));
    if (bytes !== '') socket.write(bytes);
    await once(socket, 'close');
    return heard;
  }

  it('gets a 408 where it has started a request', async () => {
    expect(await heardAfter('GET / HTTP/1.1\r\nhost:')).toMatch(/^HTTP\/1\.1 408 /);
  });

  it('is closed without an answer where it has sent nothing', async () => {
    expect(await heardAfter('')).toBe('');
  });
});
